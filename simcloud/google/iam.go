package google

import (
	"net/http"
	"path"
	"slices"
	"strings"
)

// allowed is the one place where permissions are read: calls are guarded by it, and testIamPermissions answers from it.
// A resource inherits: a table from its dataset, a dataset from its project.
func (c *Cloud) allowed(id *identity, permission, resource string) bool {
	for _, r := range id.Revoked {
		if matches(r, permission) {
			return false
		}
	}
	for _, level := range c.chain(resource) {
		if slices.ContainsFunc(id.Grants[level], func(p string) bool { return matches(p, permission) }) {
			return true
		}
		if name, isDataset := strings.CutPrefix(level, "datasets/"); isDataset && c.byAccessList(id, permission, name) {
			return true
		}
	}
	return false
}

func matches(pattern, permission string) bool {
	hit, err := path.Match(pattern, permission)
	return err == nil && hit
}

// chain is a resource and all that it inherits from.
func (c *Cloud) chain(resource string) []string {
	kind, name, _ := strings.Cut(resource, "/")
	parts := strings.Split(name, ".")
	switch {
	case kind == "tables" && len(parts) == 3:
		return []string{resource, "datasets/" + parts[0] + "." + parts[1], "projects/" + parts[0]}
	case kind == "datasets" && len(parts) == 2:
		return []string{resource, "projects/" + parts[0]}
	}
	return []string{resource}
}

// byAccessList reads a dataset's own access list: entries that name the service account.
func (c *Cloud) byAccessList(id *identity, permission, name string) bool {
	d := c.state.Datasets[name]
	if d == nil {
		return false
	}
	for _, e := range d.Access {
		who, _ := e["userByEmail"].(string)
		member, _ := e["iamMember"].(string)
		if !strings.EqualFold(who, id.Email) && !strings.EqualFold(member, "serviceAccount:"+id.Email) {
			continue
		}
		role, _ := e["role"].(string)
		if slices.Contains(rolePermissions(role), permission) {
			return true
		}
	}
	return false
}

// rolePermissions are those of the basic dataset roles and their IAM equivalents, as far as anybody asks.
func rolePermissions(role string) []string {
	reader := []string{"bigquery.datasets.get", "bigquery.tables.list", "bigquery.tables.get", "bigquery.tables.getData", "bigquery.tables.export"}
	writer := append(slices.Clone(reader), "bigquery.tables.create", "bigquery.tables.update", "bigquery.tables.updateData", "bigquery.tables.delete")
	switch role {
	case "READER", "roles/bigquery.dataViewer":
		return reader
	case "WRITER", "roles/bigquery.dataEditor":
		return writer
	case "OWNER", "roles/bigquery.dataOwner":
		return append(writer, "bigquery.datasets.update", "bigquery.datasets.delete", "bigquery.datasets.getIamPolicy", "bigquery.datasets.setIamPolicy")
	case "roles/bigquery.metadataViewer":
		return []string{"bigquery.datasets.get", "bigquery.tables.list", "bigquery.tables.get"}
	}
	return nil
}

// need guards a call. The words are those of the service that is called.
func (c *Cloud) need(k *call, permission, resource string) *refusal {
	if c.allowed(k.Caller, permission, resource) {
		return nil
	}
	if k.service() == "bigquery" {
		kind, name, _ := strings.Cut(resource, "/")
		noun := map[string]string{"projects": "Project", "datasets": "Dataset", "tables": "Table"}[kind]
		return refuse(http.StatusForbidden, "accessDenied", "Access Denied: %s %s: Permission %s denied on %s %s (or it may not exist).", noun, colon(name), permission, strings.ToLower(noun), colon(name))
	}
	f := refuse(http.StatusForbidden, "forbidden", "Permission '%s' denied on resource '//%s.googleapis.com/%s' (or it may not exist).", permission, k.service(), resource)
	f.details = []any{obj{
		"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "IAM_PERMISSION_DENIED", "domain": k.service() + ".googleapis.com",
		"metadata": obj{"permission": permission, "resource": resource},
	}}
	return f
}

// colon writes p.d.t as BigQuery's messages do: p:d.t.
func colon(name string) string { return strings.Replace(name, ".", ":", 1) }

// testPermissions is the answer to every testIamPermissions: the part of the list that the caller has.
func (c *Cloud) testPermissions(k *call, resource string, exists bool) (answer, *refusal) {
	var in struct{ Permissions []string }
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	if len(in.Permissions) > 100 {
		return answer{}, refuse(http.StatusBadRequest, "invalid", "Too many permissions: at most 100 are allowed.")
	}
	has := []string{}
	for _, p := range in.Permissions {
		if strings.Contains(p, "*") || strings.Count(p, ".") < 2 {
			return answer{}, refuse(http.StatusBadRequest, "invalid", "Permission %s is not valid for this resource.", p)
		}
		if exists && c.allowed(k.Caller, p, resource) {
			has = append(has, p)
		}
	}
	if len(has) == 0 {
		return ok(obj{}) // the field is left out, as protocol buffers do with empty lists
	}
	return ok(obj{"permissions": has})
}
