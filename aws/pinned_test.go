package aws

import (
	"net/http"
	"strings"
	"testing"

	"outlay"
	cloud "outlay/simcloud/aws"
)

// watched passes requests on and shows each to see, before it is sent.
type watched struct {
	base http.RoundTripper
	see  func(*http.Request)
}

func (w watched) RoundTrip(r *http.Request) (*http.Response, error) {
	w.see(r)
	return w.base.RoundTrip(r)
}

// watch shows every request of the provider to see.
func (w *world) watch(see func(*http.Request)) {
	o := w.p.opts
	o.Transport = watched{&http.Transport{}, see}
	w.p = New(o)
}

// TestEveryCallIsPinned goes up, reads and goes down: each call on a bucket names the owner that it expects (M14), and
// each file is read in the state that it was found in (reliability.md §4.1 rule 2).
func TestEveryCallIsPinned(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{RowsPerMonth: 60})
	seen := map[string]int{}
	w.watch(func(r *http.Request) {
		bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		if bucket == "" || r.Header.Get("X-Amz-Target") != "" {
			return // another service, or the list of buckets
		}
		create := r.Method == http.MethodPut && key == "" && r.URL.RawQuery == ""
		if r.Header.Get("X-Amz-Expected-Bucket-Owner") != payerAccount && !create {
			t.Errorf("%s %s names no owner", r.Method, r.URL)
		}
		if r.Method == http.MethodGet && key != "" {
			if seen["read"]++; r.Header.Get("If-Match") == "" {
				t.Errorf("%s is read whatever it is by now", key)
			}
		}
		seen[r.Method]++
	})
	w.up()
	w.deliver()
	for _, d := range w.deliveries() {
		if _, err := w.p.Fetch(t.Context(), w.a, w.s, d, t.TempDir()); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.run(w.down(outlay.DeleteCostFiles)); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"read", http.MethodHead, http.MethodPut, http.MethodPost, http.MethodDelete} {
		if seen[kind] == 0 {
			t.Errorf("no %s was seen: %v", kind, seen)
		}
	}
}

// TestMovedAtTheEnd writes a new manifest while the last file is read.
func TestMovedAtTheEnd(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{RowsPerMonth: 60})
	w.up()
	w.deliver()
	d, bucket := w.deliveries()[0], w.bucket().Name
	w.watch(func(r *http.Request) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, ".parquet") {
			w.PlantObject(bucket, d.Ref[refManifest], []byte(`{"dataFiles":[]}`))
		}
	})
	if _, err := w.p.Fetch(t.Context(), w.a, w.s, d, t.TempDir()); outlay.CodeOf(err) != outlay.CodeConflict || !strings.Contains(err.Error(), "anew") {
		t.Errorf("a manifest that moved: %v", err)
	}
}
