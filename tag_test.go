package outlay_test

import (
	"testing"

	"outlay"
)

// TestNearTag tells typing errors from other words, and from spellings that are the tag.
func TestNearTag(t *testing.T) {
	for key, want := range map[string]string{
		"Projekt": "Project", "project-id": "Project", "projects": "Project", "porject": "Project", "user-id": "User", "users": "User", "Uesr": "User",
		"session_ids": "SessionID", "Sesion": "Session", "organisation-id": "OrganizationID", "organization": "OrganizationID", "group": "GroupID", "data": "Date", "pools": "Pool",
		"project": "", "PROJECT": "", "session-id": "", "user": "", "user_": "",
		"team": "", "node": "", "role": "", "stage": "", "usage": "", "env": "", "host": "", "": "", "cost-center": "", "kubernetes.io/name-of-cluster": "",
	} {
		got, near := outlay.NearTag(key)
		if got != want || near != (want != "") {
			t.Errorf("%q is near %q (%v), want %q", key, got, near, want)
		}
	}
}

// FuzzNearTag holds that a spelling of a tag is never only near one, and that what is near is one of the nine.
func FuzzNearTag(f *testing.F) {
	f.Add("Projekt")
	f.Add("user:User")
	f.Fuzz(func(t *testing.T, key string) {
		got, near := outlay.NearTag(key)
		known := false
		for _, tag := range outlay.TagKeys() {
			known = known || tag == got
			if near && outlay.FoldTag(tag) == outlay.FoldTag(key) {
				t.Errorf("%q is %s itself", key, tag)
			}
		}
		if near != known {
			t.Errorf("%q is near %q", key, got)
		}
	})
}
