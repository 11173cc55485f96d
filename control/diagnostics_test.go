package control_test

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"

	"outlay"
	"outlay/control"
)

// TestDiagnostics: the archive tells what went wrong, and neither costs, nor secrets, nor another organization's log.
func TestDiagnostics(t *testing.T) {
	h := newHouse(t, nil)
	ctx := t.Context()
	deps := h.deps(noImport{})
	deps.Diagnosis = control.Diagnosis{Version: "1.2.3", Recent: func(orgID string) []byte { return []byte(`{"org":"` + orgID + `","msg":"a line"}` + "\n") }}
	c := control.New(deps)
	h.account(t, "prod", "t-1")
	h.account(t, "prod-two", "t-1")
	h.nimbus.ByHand = true
	run := h.provisioned(t, "prod")
	d, err := c.Diagnostics(ctx, h.admin, "prod")
	if err != nil || d.Name != "outlay-prod-2026-11-22.zip" {
		t.Fatalf("%q, %v", d.Name, err)
	}
	files := unzip(t, d.Body)
	for name, wants := range map[string][]string{
		"README.txt": {"No secret is in it"}, "about.json": {`"version": "1.2.3"`, `"lookEvery": "1h0m0s"`},
		"account.json": {`"name": "prod"`, `"state": "`, `"status"`}, "sources.json": {`"accountName": "prod"`}, "runs/01-" + run.ID + ".json": {run.ID, `"steps"`, `"problem"`},
		"audit.json": {"account prod"}, "log.jsonl": {`"org":"` + h.admin.OrgID + `"`},
	} {
		for _, want := range wants {
			if !strings.Contains(files[name], want) {
				t.Errorf("%s does not say %s:\n%s", name, want, files[name])
			}
		}
	}
	if strings.Contains(files["audit.json"], "account prod-two") {
		t.Error("the audit of another account is in it")
	}
	for _, who := range []outlay.Role{outlay.RoleFinance, outlay.RoleLead, outlay.RoleMember, outlay.RoleAuditor} {
		_, err := c.Diagnostics(ctx, outlay.Actor{OrgID: h.admin.OrgID, UserID: "usr_x", Roles: []outlay.Role{who}}, "prod")
		wantCode(t, err, outlay.CodeForbidden)
	}
	_, err = c.Diagnostics(ctx, outlay.Actor{OrgID: "org_else", UserID: "usr_x", Roles: []outlay.Role{outlay.RoleAdmin}}, "prod")
	wantCode(t, err, outlay.CodeNotFound)
}

func unzip(t *testing.T, body []byte) map[string]string {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		out[f.Name] = string(text)
	}
	return out
}
