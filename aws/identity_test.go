package aws

import (
	"context"
	"errors"
	"strings"
	"testing"

	"outlay"
	cloud "outlay/simcloud/aws"
)

func TestPlaces(t *testing.T) {
	for _, row := range []struct {
		account, kind, scope string
		isPayer              bool
		members              int
	}{
		{payerAccount, payer, payerAccount, true, 2},
		{memberAccount, member, payerAccount, false, 1},
		{aloneAccount, standalone, aloneAccount, true, 1},
	} {
		t.Run(row.kind, func(t *testing.T) {
			w := newWorld(t, row.account, cloud.Options{})
			w.s = nil
			seen := w.observe(outlay.Look{Members: true})
			id := seen.Identity
			if id.AccountID != row.account || id.Extra[extraKind] != row.kind || id.Scope.ID != row.scope || id.Scope.IsPayer != row.isPayer || len(seen.Members) != row.members {
				t.Errorf("identity %+v, members %v", id, seen.Members)
			}
			if !strings.Contains(id.Principal, ":assumed-role/outlay/") {
				t.Errorf("principal %s", id.Principal)
			}
		})
	}
}

// TestMember may have an export of its own costs, but not turn tags on.
func TestMember(t *testing.T) {
	w := newWorld(t, memberAccount, cloud.Options{})
	w.SeeTags(outlay.TagKeys()...)
	plan := w.plan(whole())
	if !strings.Contains(notes(plan, "warn"), payerAccount+" (northfield@example.org)") {
		t.Errorf("the payer is not named: %+v", plan.Notes)
	}
	held := 0
	for _, c := range plan.Changes {
		if c.Kind == kindTag && strings.Contains(c.Hold, payerAccount) {
			held++
		}
	}
	if held != 9 || plan.Blocked() != "" {
		t.Errorf("%d tags held, blocked %q", held, plan.Blocked())
	}
	if err := w.run(plan); err != nil {
		t.Fatal(err)
	}
	err := w.apply(outlay.Change{Action: outlay.ActionUpdate, Kind: kindTag, Name: "User"})
	if e := outlay.AsError(err); e == nil || e.Code != outlay.CodeForbidden || len(e.Needs) != 0 || !strings.Contains(e.Message, "payer") {
		t.Errorf("turning a tag on in a member account: %v", err)
	}
	if down := w.down(outlay.DeleteCostFiles); !strings.Contains(notes(down, "warn"), payerAccount) {
		t.Errorf("the payer is not named on the way down: %+v", down.Notes)
	}
}

// TestMembersUnknown may not ask who is invoiced, or who the members are: neither says that there are none, so that the
// accounts of the provider are covered by the rule until more is known.
func TestMembersUnknown(t *testing.T) {
	for _, action := range []string{"organizations:DescribeOrganization", "organizations:ListAccounts"} {
		w := newWorld(t, payerAccount, cloud.Options{})
		w.Deny(w.role, action)
		seen := w.observe(outlay.Look{Members: true})
		if len(seen.Members) != 0 || !strings.Contains(seen.Unknown["members"], action) {
			t.Errorf("without %s: members %v, unknown %v", action, seen.Members, seen.Unknown)
		}
		w.Undeny(w.role)
		w.a.Identity = w.observe(outlay.Look{Members: true}).Identity
		w.Deny(w.role, action)
		if known := w.observe(outlay.Look{Members: true}).Identity; known.Scope.ID != payerAccount || !known.Scope.IsPayer || known.Extra[extraKind] != payer {
			t.Errorf("without %s, what was known is forgotten: %+v", action, known)
		}
	}
}

// TestExternalID blocks roles that let others in, in both ways (M7).
func TestExternalID(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{})
	trusted := w.UserARN(serverAccount, "outlay-server")
	if seen := w.observe(whole()); len(seen.Notes) != 0 || len(seen.Unknown) != 0 {
		t.Errorf("a good role: %+v %v", seen.Notes, seen.Unknown)
	}
	w.AddRole(payerAccount, "billing/outlay", trusted, cloud.FirstExternalID, "*") // asks for one, whichever: signed in we are already
	if plan := w.plan(whole()); !strings.Contains(plan.Blocked(), "with a wrong external ID") {
		t.Errorf("blocked: %q", plan.Blocked())
	}
	w.AddRole(payerAccount, "billing/outlay", trusted, "", "*") // asks for no external id
	if plan := w.plan(whole()); !strings.Contains(plan.Blocked(), "does not enforce the external ID") {
		t.Errorf("blocked: %q", plan.Blocked())
	}
	w.AddRole(payerAccount, "billing/outlay", trusted, "somebody else's", "*")
	w.p.creds = nil
	w.p.creds = New(w.p.opts).creds
	_, err := w.p.Observe(context.Background(), w.a, w.s, whole())
	e := outlay.AsError(err)
	if e == nil || e.Code != outlay.CodeForbidden || e.Outcome != outlay.NeverSent || !strings.Contains(e.Fix, "external ID") {
		t.Errorf("a role that refuses us: %v", err)
	}
	seen := map[string]bool{}
	for range 100 {
		id := NewExternalID()
		if len(id) != 43 || seen[id] {
			t.Fatalf("external id %q", id)
		}
		seen[id] = true
	}
}

// TestSwapped refuses a credential that is now another account's (M11).
func TestSwapped(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{})
	w.a.Identity.AccountID = aloneAccount
	_, err := w.p.Observe(context.Background(), w.a, w.s, outlay.Look{})
	if outlay.CodeOf(err) != outlay.CodeConflict || !strings.Contains(err.Error(), payerAccount) || !strings.Contains(err.Error(), aloneAccount) {
		t.Errorf("observe: %v", err)
	}
}

// TestNothingAmbient gives the process credentials of every kind that the SDK's chain would find; none may be used for
// an account without a credential of its own (M10).
func TestNothingAmbient(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{})
	id, secret := w.AddUser(serverAccount, "admin", "*")
	t.Setenv("AWS_ACCESS_KEY_ID", id)
	t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", w.url)
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", w.url)
	t.Setenv("AWS_PROFILE", "default")
	w.ClearRequests()
	for name, c := range map[string]outlay.Credential{
		"no kind":       {},
		"no key":        {Kind: kindKeys},
		"no secret":     {Kind: kindKeys, Values: map[string]string{fieldKeyID: id}},
		"no role":       {Kind: kindRole},
		"no externalID": {Kind: kindRole, Values: map[string]string{fieldRole: w.role}},
		"not a role":    {Kind: kindRole, Values: map[string]string{fieldRole: "arn:aws:iam::" + payerAccount + ":user/x", fieldExternal: "x"}},
	} {
		w.a.Credential = c
		if _, err := w.p.Observe(context.Background(), w.a, w.s, outlay.Look{}); err == nil {
			t.Errorf("%s: it signed in", name)
		}
	}
	if n := len(w.Requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// TestOwnBaseKey assumes the role with a key stored for nothing else, on a server that has no identity.
func TestOwnBaseKey(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{})
	id, secret := w.AddUser(serverAccount, "outlay-server", "sts:AssumeRole")
	o := w.p.opts
	o.Ambient = nil
	w.p = New(o)
	if _, err := w.p.Observe(context.Background(), w.a, w.s, outlay.Look{}); outlay.CodeOf(err) != outlay.CodeInvalid {
		t.Errorf("without any identity: %v", err)
	}
	w.a.Credential.Values[fieldKeyID] = id
	w.vault["acc_1/"+fieldKeySecret] = secret
	if got := w.observe(whole()).Identity.AccountID; got != payerAccount {
		t.Errorf("account %s", got)
	}
}

// TestBadKeys tells a wrong key from a wrong secret from nobody, and never shows the secret.
func TestBadKeys(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{})
	id, secret := w.AddUser(payerAccount, "biller", "*")
	for name, pair := range map[string][2]string{"unknown key": {"AKIAUNKNOWNUNKNOWN00", secret}, "wrong secret": {id, "wrong" + secret}} {
		w.a.Credential = outlay.Credential{Kind: kindKeys, Values: map[string]string{fieldKeyID: pair[0]}}
		w.vault["acc_1/"+fieldKeySecret] = pair[1]
		_, err := w.p.Observe(context.Background(), w.a, w.s, outlay.Look{})
		e, ok := errors.AsType[*outlay.Error](err)
		if !ok || e.Code != outlay.CodeForbidden || e.Outcome != outlay.DefinitelyNot || !strings.Contains(e.Fix, "Rotate") {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error shows the secret", name)
		}
	}
}

// TestBadBaseKey meets a key that may no longer assume the role: that is no fault of the role's trust policy.
func TestBadBaseKey(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{})
	w.a.Credential.Values[fieldKeyID] = "AKIAUNKNOWNUNKNOWN00"
	w.vault["acc_1/"+fieldKeySecret] = "gone"
	_, err := w.p.Observe(context.Background(), w.a, w.s, outlay.Look{})
	e := outlay.AsError(err)
	if e == nil || e.Code != outlay.CodeForbidden || e.Outcome != outlay.NeverSent || len(e.Needs) != 0 || !strings.Contains(e.Message, "does not accept") || !strings.Contains(e.Fix, "access key that the role is assumed with") {
		t.Errorf("%+v", e)
	}
}

// TestRoleLookedUp asks IAM for the path of a role that the account's credential does not name.
func TestRoleLookedUp(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{})
	ses, err := w.p.session(context.Background(), w.a)
	if err != nil {
		t.Fatal(err)
	}
	id := outlay.Identity{AccountID: payerAccount, Principal: "arn:aws:sts::" + payerAccount + ":assumed-role/outlay/x"}
	got, err := rolePath(context.Background(), ses, &outlay.CloudAccount{}, id)
	if err != nil || got != w.role {
		t.Errorf("role %s (%v), want %s", got, err, w.role)
	}
}

func FuzzARN(f *testing.F) {
	for _, s := range []string{"arn:aws:iam::123456789012:role/a/b", "arn:aws-cn:sts::1:assumed-role/R/S", "arn:aws:s3:::b/*", "arn:::::", "", "arn:aws:iam::123456789012:role/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := parseARN(s)
		if err != nil {
			if outlay.CodeOf(err) != outlay.CodeInvalid {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		if a.String() != s {
			t.Errorf("%q came back as %q", s, a.String())
		}
		if r, err := parseRoleARN(s); err == nil && (!isAccountID(r.Account) || roleName(r) == "" || strings.Contains(roleName(r), "/")) {
			t.Errorf("%q was taken for a role: %+v", s, r)
		}
	})
}
