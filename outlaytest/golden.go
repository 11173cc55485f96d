package outlaytest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"outlay"
)

// Golden compares got with a file of testdata, or writes the file anew where the caller's flag -update says so.
func Golden(t testing.TB, update bool, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (write it with -update)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, diff)
	}
}

// Vault keeps secrets of test accounts in the open, by "account/field".
type Vault map[string]string

// Open gives a secret.
func (v Vault) Open(a *outlay.CloudAccount, field string) (outlay.Secret, error) {
	s, ok := v[a.ID+"/"+field]
	if !ok {
		return outlay.Secret{}, outlay.Errorf(outlay.CodeNotFound, "", "no secret %s", field)
	}
	return outlay.NewSecret(s), nil
}
