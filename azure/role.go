package azure

import (
	"encoding/json"
	"slices"
	"strings"

	"outlay"
)

// customRole is a role definition as Azure takes it: 'az role definition create --role-definition @file'.
type customRole struct {
	Name, Description   string
	IsCustom            bool
	Actions, NotActions []string
	DataActions         []string
	NotDataActions      []string
	AssignableScopes    []string
}

// provisions is what the provisioner's role is for.
const provisions = "Lets Outlay set up, watch, read and take down billing data."

// ProvisionerRole is the least that a credential needs to provision, watch, read and deprovision: exactly the actions
// that this room calls (clouds.md §3.8). subscription may be a placeholder before it is known.
func ProvisionerRole(subscription string) string {
	return role("outlay billing provisioner", provisions, []string{"/subscriptions/" + subscription}, allActions())
}

// ReaderRole is the least that watching and reading take once billing is provisioned; it changes nothing
// (reliability.md M15). subscription may be a placeholder.
func ReaderRole(subscription string) string {
	return role("outlay billing reader", "Lets Outlay watch and read billing data.", []string{"/subscriptions/" + subscription}, readerActions())
}

// missingRole is the smallest role that grants what was found to lack; "" when nothing does.
func missingRole(missing []outlay.Permission) string {
	var scopes, actions []string
	for _, m := range missing {
		if isBillingScope(m.Resource) {
			continue // takes a billing role
		}
		if m.Action != "" && !slices.Contains(actions, m.Action) {
			actions = append(actions, m.Action)
		}
		if scope := assignable(m.Resource); scope != "" && !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	if len(actions) == 0 {
		return ""
	}
	return role("outlay billing provisioner, missing part", provisions, scopes, actions)
}

// assignable is the scope at which a custom role may be made: a subscription or a management group.
func assignable(resource string) string {
	if parts := strings.Split(resource, "/"); len(parts) > 2 && strings.EqualFold(parts[1], "subscriptions") {
		return "/subscriptions/" + parts[2]
	}
	if scopeKind(resource) == scopeManagement {
		return resource
	}
	return ""
}

func role(name, description string, scopes, actions []string) string {
	r := customRole{
		Name: name, Description: description, IsCustom: true,
		Actions: []string{}, NotActions: []string{}, DataActions: []string{}, NotDataActions: []string{}, AssignableScopes: scopes,
	}
	for _, a := range actions {
		if a == actBlobsRead {
			r.DataActions = append(r.DataActions, a)
		} else {
			r.Actions = append(r.Actions, a)
		}
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		panic(err) // plain data always marshals
	}
	return string(b)
}
