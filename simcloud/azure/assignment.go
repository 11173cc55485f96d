package azure

import (
	"net/http"
	"path"
	"slices"
	"strings"
)

func (g *grant) wire() object {
	scope, _, _ := strings.Cut(g.ID, "/providers/Microsoft.Authorization/roleAssignments/")
	if scope == "" {
		scope = "/"
	}
	p := object{
		"roleDefinitionId": scope + "/providers/Microsoft.Authorization/roleDefinitions/" + g.RoleID, "principalId": g.Principal, "principalType": "ServicePrincipal",
		"scope": scope, "createdOn": wireTime(g.Created), "updatedOn": wireTime(g.Created),
	}
	if g.Role.Condition != "" {
		p["condition"], p["conditionVersion"] = g.Role.Condition, "2.0"
	}
	return object{"id": g.ID, "name": path.Base(g.ID), "type": "Microsoft.Authorization/roleAssignments", "properties": p}
}

func (c *Cloud) assignment(k *call) *grant {
	for _, g := range c.state.Grants {
		if strings.EqualFold(path.Base(g.ID), k.P["name"]) && g.Scope == normal(k.P["scope"]) {
			return g
		}
	}
	return nil
}

func (c *Cloud) putAssignment(k *call) (answer, *refusal) {
	if fail := c.need(k, "Microsoft.Authorization/roleAssignments/write", k.P["scope"]); fail != nil {
		return answer{}, fail
	}
	var in struct {
		Properties struct{ RoleDefinitionID, PrincipalID, Condition string }
	}
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	role, ok := builtIn(in.Properties.RoleDefinitionID)
	if !ok {
		return answer{}, refuse(http.StatusNotFound, "RoleDefinitionDoesNotExist", "The specified role definition with ID '%s' does not exist.", path.Base(in.Properties.RoleDefinitionID))
	}
	if c.appOf(in.Properties.PrincipalID) == nil {
		return answer{}, refuse(http.StatusBadRequest, "PrincipalNotFound", "Principal %s does not exist in the directory.", in.Properties.PrincipalID)
	}
	roleID := strings.ToLower(path.Base(in.Properties.RoleDefinitionID))
	for _, g := range c.state.Grants {
		if g.Principal == in.Properties.PrincipalID && g.RoleID == roleID && g.Scope == normal(k.P["scope"]) {
			return answer{}, refuse(http.StatusConflict, "RoleAssignmentExists", "The role assignment already exists.")
		}
	}
	role.Condition = in.Properties.Condition
	g := c.assign(in.Properties.PrincipalID, k.P["scope"], roleID, role)
	g.ID = path.Dir(g.ID) + "/" + k.P["name"]
	return jsonAnswer(http.StatusCreated, g.wire())
}

func (c *Cloud) getAssignment(k *call) (answer, *refusal) {
	if fail := c.need(k, "Microsoft.Authorization/roleAssignments/read", k.P["scope"]); fail != nil {
		return answer{}, fail
	}
	g := c.assignment(k)
	if g == nil {
		return answer{}, refuse(http.StatusNotFound, "RoleAssignmentNotFound", "The role assignment '%s' is not found.", k.P["name"])
	}
	return jsonAnswer(http.StatusOK, g.wire())
}

func (c *Cloud) deleteAssignment(k *call) (answer, *refusal) {
	if fail := c.need(k, "Microsoft.Authorization/roleAssignments/delete", k.P["scope"]); fail != nil {
		return answer{}, fail
	}
	g := c.assignment(k)
	if g == nil {
		return empty(http.StatusNoContent)
	}
	if fail := c.locked(k.P["scope"]); fail != nil {
		return answer{}, fail
	}
	c.state.Grants = slices.DeleteFunc(c.state.Grants, func(x *grant) bool { return x == g })
	return jsonAnswer(http.StatusOK, g.wire())
}

// listAssignments lists the role assignments at a scope and above and below it, as Azure does, narrowed by the two filters that matter.
func (c *Cloud) listAssignments(k *call) (answer, *refusal) {
	if fail := c.need(k, "Microsoft.Authorization/roleAssignments/read", k.P["scope"]); fail != nil {
		return answer{}, fail
	}
	filter, scope := k.Query.Get("$filter"), normal(k.P["scope"])
	principal := ""
	if _, rest, ok := strings.Cut(filter, "principalId eq '"); ok {
		principal, _, _ = strings.Cut(rest, "'")
	}
	out := []object{}
	for _, g := range c.state.Grants {
		inScope := c.covers(g.Scope, scope)
		if !strings.Contains(filter, "atScope()") {
			inScope = inScope || strings.HasPrefix(g.Scope, scope+"/")
		}
		if inScope && (principal == "" || strings.EqualFold(principal, g.Principal)) {
			out = append(out, g.wire())
		}
	}
	return jsonAnswer(http.StatusOK, object{"value": out})
}
