package aws

import (
	"maps"
	"net/http"
)

// decision is what the policies say about one action on one resource; the texts are those of IAM.
type decision struct {
	text  string // "allowed", "explicitDeny", "implicitDeny"
	byOrg bool   // a service control policy forbids it
}

const (
	allowed      = "allowed"
	explicitDeny = "explicitDeny"
	implicitDeny = "implicitDeny"
)

// decide is the one place where identity policies are read: calls are guarded by it, and simulations answer from it.
func (c *Cloud) decide(p *principal, q ask) decision {
	// A service control policy binds even the root of a member account.
	if a := c.state.Accounts[p.Account]; a != nil && like(a.Denied, q.action, false) {
		return decision{explicitDeny, true}
	}
	if like(p.Deny, q.action, false) {
		return decision{text: explicitDeny}
	}
	ctx := map[string]string{"aws:securetransport": "true", "aws:principalaccount": p.Account}
	maps.Copy(ctx, q.context)
	q.context = ctx
	out := decision{text: implicitDeny}
	for _, doc := range p.Allow {
		policy, err := parsePolicy(doc)
		if err != nil {
			continue // documents() let only readable ones in
		}
		for _, s := range policy.Statement {
			if !s.matches(q) {
				continue
			}
			if s.Effect == "Deny" {
				return decision{text: explicitDeny}
			}
			out.text = allowed
		}
	}
	return out
}

// need refuses a call whose caller may not do action on resource, in the words of IAM.
func (c *Cloud) need(k *call, action, resource string) *refusal {
	return c.needWith(k, action, resource, nil)
}

func (c *Cloud) needWith(k *call, action, resource string, context map[string]string) *refusal {
	d := c.decide(k.Caller, ask{action: action, resource: resource, context: context})
	if d.text == allowed {
		return nil
	}
	why := "because no identity-based policy allows the " + action + " action"
	switch {
	case d.byOrg:
		why = "with an explicit deny in a service control policy"
	case d.text == explicitDeny:
		why = "with an explicit deny in an identity-based policy"
	}
	code := "AccessDeniedException"
	if k.Service == "s3" || k.Service == "sts" || k.Service == "iam" {
		code = "AccessDenied"
	}
	status := http.StatusForbidden
	if k.Service != "s3" && k.Service != "sts" && k.Service != "iam" {
		status = http.StatusBadRequest
	}
	return refuse(status, code, "User: %s is not authorized to perform: %s on resource: %s %s", c.callerARN(k), action, resource, why)
}
