package control_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"outlay"
	"outlay/control"
	"outlay/outlaytest"
)

func (h *house) labels(t *testing.T, tags map[string]string) string {
	t.Helper()
	v, err := h.PlanLabels(t.Context(), h.admin, control.PlanLabelsRequest{Provider: "nimbus", Tags: tags})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, l := range v.Labels {
		out = append(out, l.Key+"="+l.Value)
	}
	return strings.Join(out, " ")
}

func (h *house) meanings(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := h.store.ReadOrg(t.Context(), "org-1", func(tx outlay.Tx) error {
		list, err := tx.Labels(t.Context(), "nimbus")
		for _, m := range list {
			out[m.Tag+"="+m.Value] = m.Original
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestPlanLabels spells a resource's tags and keeps what every label stands for, two values never by one label.
func TestPlanLabels(t *testing.T) {
	h, _ := taggedHouse(t, nil)
	for _, step := range []struct {
		tags map[string]string
		want string
	}{
		{map[string]string{"User": "a@b.c", "group-id": "hydrology", "Pool": ""}, "groupid=hydrology user=a-b-c"},
		{map[string]string{"user": "a@b.c"}, "user=a-b-c"},          // the same again
		{map[string]string{"User": "a.b@c"}, "user=a-b-c-94554770"}, // the label is taken
		{map[string]string{"User": "a.b@c"}, "user=a-b-c-94554770"}, // and stays what it was
		{map[string]string{"User": "a-b-c"}, "user=a-b-c-cbd2be7b"}, // even who needs no change
		{map[string]string{"GroupID": "Hydrology"}, "groupid=hydrology-9376ca7b"},
		{map[string]string{"Project": "a-b-c"}, "project=a-b-c"}, // another tag
		{map[string]string{"Name": "a long name of a machine 1"}, "name=a-long-name-of-a-mac"},
		{map[string]string{"Name": "a long name of a machine 2"}, "name=a-long-name-a372a702"},
	} {
		if got := h.labels(t, step.tags); got != step.want {
			t.Errorf("%v: %s, want %s", step.tags, got, step.want)
		}
	}
	want := map[string]string{
		"User=a-b-c": "a@b.c", "User=a-b-c-94554770": "a.b@c", "User=a-b-c-cbd2be7b": "a-b-c", "GroupID=hydrology": "hydrology", "GroupID=hydrology-9376ca7b": "Hydrology", "Project=a-b-c": "a-b-c",
		"Name=a-long-name-of-a-mac": "a long name of a machine 1", "Name=a-long-name-a372a702": "a long name of a machine 2",
	}
	if d := cmp.Diff(want, h.meanings(t)); d != "" {
		t.Error(d)
	}
	for field, tags := range map[string]map[string]string{
		"tags": {"Projekt": "x"}, "User": {"User": "x\x00"}, "Date": {"Date": strings.Repeat("x", 513)}, "GroupID": {"GroupID": "x", "group_id": "y"},
	} {
		_, err := h.PlanLabels(t.Context(), h.admin, control.PlanLabelsRequest{Provider: "nimbus", Tags: tags})
		if e := outlay.AsError(err); e.Code != outlay.CodeInvalid || e.Field != field {
			t.Errorf("%q: %v in %q", tags, err, e.Field)
		}
	}
	_, err := h.PlanLabels(t.Context(), h.admin, control.PlanLabelsRequest{Provider: "nimbus"})
	wantCode(t, err, outlay.CodeInvalid)
	_, err = h.PlanLabels(t.Context(), h.admin, control.PlanLabelsRequest{Provider: "cirrus", Tags: map[string]string{"User": "x"}})
	wantCode(t, err, outlay.CodeInvalid)
}

// TestPlanLabelsKeepsNothing where a provider takes values as they are.
func TestPlanLabelsKeepsNothing(t *testing.T) {
	h := newHouse(t, outlaytest.Charges{})
	if got := h.labels(t, map[string]string{"User": "a@b.c", "Project": "Flood Maps"}); got != "Project=Flood Maps User=a@b.c" {
		t.Error(got)
	}
	if kept := h.meanings(t); len(kept) != 0 {
		t.Errorf("kept %v", kept)
	}
}

// TestPlanLabelsForOthers lets a member ask for himself, and a launcher's token for everybody.
func TestPlanLabelsForOthers(t *testing.T) {
	h, _ := taggedHouse(t, nil)
	ctx := t.Context()
	err := h.store.ForOrg(ctx, "org-1", func(tx outlay.Tx) error {
		return tx.PutUser(ctx, outlay.User{OrgID: "org-1", ID: "usr-ann", Email: "Ann@example.org", Name: "Ann", Handle: "ann", CreatedAt: now()})
	})
	if err != nil {
		t.Fatal(err)
	}
	ann := outlay.Actor{OrgID: "org-1", UserID: "usr-ann", Handle: "ann", Roles: []outlay.Role{outlay.RoleMember}}
	launcher := h.admin
	launcher.Scopes = []outlay.Action{outlay.TagsPlan, outlay.TagsPlanAll}
	narrow := h.admin
	narrow.Scopes = []outlay.Action{outlay.TagsPlan}
	auditor := outlay.Actor{OrgID: "org-1", UserID: "usr-x", Roles: []outlay.Role{outlay.RoleAuditor}}
	for _, c := range []struct {
		who  outlay.Actor
		user string
		code outlay.Code
	}{
		{ann, "ann", ""}, {ann, "ann@example.org", ""}, {ann, "", ""}, {ann, "bob", outlay.CodeForbidden}, {ann, "ANN", outlay.CodeForbidden},
		{launcher, "bob", ""}, {narrow, "bob", outlay.CodeForbidden}, {narrow, "admin", ""}, {auditor, "", outlay.CodeForbidden}, {outlay.Actor{}, "", outlay.CodeUnauthenticated},
	} {
		_, err := h.PlanLabels(ctx, c.who, control.PlanLabelsRequest{Provider: "nimbus", Tags: map[string]string{"Pool": "gpu", "User": c.user}})
		if got := outlay.CodeOf(err); got != c.code {
			t.Errorf("%s %v for %q: %v", c.who.UserID, c.who.Scopes, c.user, err)
		}
	}
	v, err := h.PlanLabels(ctx, ann, control.PlanLabelsRequest{Provider: "nimbus", Tags: map[string]string{"User": "ann@example.org"}})
	if err != nil || v.Labels[0].Note != "Lower case. Outlay finds this person's own costs by the handle ann; tag that." {
		t.Errorf("an address is noted as %+v, %v", v.Labels, err)
	}
	if kept := h.meanings(t); kept["User=bob"] != "bob" || kept["User=ann-example-org"] != "ann@example.org" {
		t.Errorf("kept %v", kept)
	}
}
