package azure

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"outlay"
)

// entry is what one role assignment allows at a scope (armauthorization Permission, API 2022-04-01).
type entry struct {
	Actions, NotActions         []string
	DataActions, NotDataActions []string
	// Condition narrows it in ways that only Azure evaluates.
	Condition string
}

// permissions asks Azure what the credential may do at each scope. Deny assignments, policies and locks are not in the
// answer: 'granted' is not a promise (clouds.md §3.8).
func (o *observer) permissions(ctx context.Context) {
	at := o.scopes()
	held := map[string][]entry{}
	failed := map[string]error{}
	needs := slices.DeleteFunc(needsOf(o.s), o.pointless)
	for _, n := range needs {
		scope := at[n.where]
		if _, asked := held[scope]; asked || failed[scope] != nil {
			continue
		}
		entries, err := o.held(ctx, scope)
		if held[scope] = entries; err != nil {
			failed[scope] = err
		}
	}
	for _, n := range needs {
		scope := at[n.where]
		p := outlay.Permission{Action: n.action, Resource: scope, For: n.why}
		if failed[scope] != nil {
			p.State = o.probe(n.action, failed[scope])
		} else {
			p.State, p.Why = decide(held[scope], n.action)
		}
		o.seen.Permissions = append(o.seen.Permissions, p)
	}
	o.explain(failed)
	o.seen.Policy = missingRole(o.seen.Missing())
}

// scopes are where each permission is needed: the resource group counts once it is there, for roles may be assigned at
// it alone.
func (o *observer) scopes() map[where]string {
	subscription := "/subscriptions/" + o.seen.Identity.AccountID
	at := map[where]string{inSubscription: subscription, inStorage: subscription, inCosts: "/" + strings.Trim(o.seen.Identity.Scope.ID, "/")}
	if o.s == nil {
		return at
	}
	at[inCosts] = "/" + strings.Trim(o.n.Scope, "/")
	if o.s.Origin == outlay.OriginImported {
		if place, err := o.p.place(o.s); err == nil {
			at[inStorage] = "/" + strings.Trim(place.StorageID, "/")
		}
		return at
	}
	_, made := ledgerRow(o.s, kindGroup)
	if r, seen := o.seen.Find(kindGroup, o.n.Group); made || seen && r.State != outlay.StateForeign {
		at[inStorage] = o.n.groupID()
	}
	return at
}

// errBillingRoles is why permissions at a billing scope are not asked for.
var errBillingRoles = errors.New("billing roles are not part of Azure's access control")

// held is what the credential's roles allow at a scope.
func (o *observer) held(ctx context.Context, scope string) ([]entry, error) {
	if isBillingScope(scope) {
		return nil, errBillingRoles
	}
	var out []entry
	err := o.ses.list(ctx, scope+"/providers/Microsoft.Authorization/permissions", "2022-04-01", func(body []byte) (string, error) {
		var page struct {
			Value    []entry
			NextLink string
		}
		err := json.Unmarshal(body, &page)
		out = append(out, page.Value...)
		return page.NextLink, err
	})
	return out, failure(err, call{Action: actPermissionsRead, Resource: scope, Doing: "testing permissions"})
}

// decide judges one action: granted by any entry, unless the only ones that would grant it have a condition.
func decide(entries []entry, action string) (outlay.PermissionState, string) {
	conditional := false
	for _, e := range entries {
		allow, except := e.Actions, e.NotActions
		if action == actBlobsRead {
			allow, except = e.DataActions, e.NotDataActions
		}
		if !matches(allow, action) || matches(except, action) {
			continue
		}
		if e.Condition == "" {
			return outlay.PermissionGranted, ""
		}
		conditional = true
	}
	if conditional {
		return outlay.PermissionUnknown, "a role with a condition, which only Azure can judge"
	}
	return outlay.PermissionDenied, "no role allows it"
}

// matches tells whether any pattern fits an action. A star stands for anything, letter case does not count.
func matches(patterns []string, action string) bool {
	action = strings.ToLower(action)
	return slices.ContainsFunc(patterns, func(p string) bool { return fits(strings.ToLower(p), action) })
}

// fits matches a text against a pattern with stars: the first and the last piece are anchored, those between are found
// from the left.
func fits(pattern, s string) bool {
	pieces := strings.Split(pattern, "*")
	if len(pieces) == 1 {
		return pattern == s
	}
	s, ok := strings.CutPrefix(s, pieces[0])
	if !ok {
		return false
	}
	last := len(pieces) - 1
	for _, piece := range pieces[1:last] {
		_, after, found := strings.Cut(s, piece)
		if !found {
			return false
		}
		s = after
	}
	return strings.HasSuffix(s, pieces[last])
}

// probe takes what the look's own reads found out where permissions cannot be asked for; unknown is not missing.
func (o *observer) probe(action string, why error) outlay.PermissionState {
	part, ok := map[string]string{
		actExportRead: string(kindExport), actGroupRead: string(kindGroup), actAccountRead: string(kindAccount),
		actContainerRead: string(kindContainer), actProvidersRead: string(kindRegistration), actSubscriptionRead: "subscription",
	}[action]
	read := part == "subscription" || o.s != nil && o.look.Wants(outlay.ResourceKind(part))
	switch err := o.failed[part]; {
	case lacks(why, action), ok && lacks(err, action):
		return outlay.PermissionDenied
	case ok && read && err == nil:
		return outlay.PermissionGranted
	}
	return outlay.PermissionUnknown
}

// lacks tells whether an error says that an action lacks.
func lacks(err error, action string) bool {
	return err != nil && slices.ContainsFunc(outlay.AsError(err).Needs, func(p outlay.Permission) bool { return p.Action == action })
}

// pointless tells whether a permission has nothing to do any more: registering what is registered or about to be, or
// what could not be found to lack it.
func (o *observer) pointless(n need) bool {
	for _, namespace := range []string{exportsProvider, storageProvider, costProvider} {
		if n.action != registerAction(namespace) {
			continue
		}
		r, seen := o.seen.Find(kindRegistration, namespace)
		if namespace != exportsProvider && !seen {
			return true
		}
		return seen && isRegistered(r)
	}
	return false
}

// explain says where permissions could not be asked for, and that this stops nothing.
func (o *observer) explain(failed map[string]error) {
	for _, scope := range sortedKeys(failed) {
		if errors.Is(failed[scope], errBillingRoles) {
			o.note("info", "Azure does not tell what the credential may do at this billing scope. A missing permission shows when the run comes to it.")
			continue
		}
		o.note("info", "Permissions could not be tested: "+outlay.AsError(failed[scope]).Message+". A missing permission shows when the run comes to it.")
	}
}
