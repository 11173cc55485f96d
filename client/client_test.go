package client_test

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"outlay"
	"outlay/api"
	"outlay/client"
	"outlay/control"
)

// operations are the API's own list: "GET /api/v1/accounts/{id}" → "get-account".
func operations(t *testing.T) map[string]string {
	t.Helper()
	w := httptest.NewRecorder()
	api.New(api.Options{Version: "test"}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, api.Prefix+"/openapi.json", nil))
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			out[strings.ToUpper(method)+" "+path] = op.OperationID
		}
	}
	return out
}

// TestEveryOperation calls every method of the client: each reaches an operation of the API, and all of those are
// reached, so that whatever a page can do the command line can, too.
func TestEveryOperation(t *testing.T) {
	known := operations(t)
	var mu sync.Mutex
	reached := map[string]bool{}
	mux := http.NewServeMux()
	for pattern, id := range known {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			mu.Lock()
			defer mu.Unlock()
			reached[id] = true
			w.WriteHeader(http.StatusNoContent)
		})
	}
	mux.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) { t.Errorf("the API has no %s %s", r.Method, r.URL.Path) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "bill.csv")
	if err := os.WriteFile(file, []byte("a,b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := reflect.ValueOf(client.New(server.URL, outlay.NewSecret("token")))
	for i := range c.NumMethod() {
		method := c.Method(i)
		in := []reflect.Value{}
		for k := range method.Type().NumIn() {
			in = append(in, argument(t.Context(), method.Type().In(k), file))
		}
		for _, out := range method.Call(in) {
			if seq, ok := out.Interface().(iter.Seq2[control.RunView, error]); ok {
				for _, err := range seq {
					t.Errorf("watching: %v", err)
				}
			}
		}
	}
	var missing []string
	for _, id := range known {
		if !reached[id] && id != "query-costs" { // get-costs, with the view in the body
			missing = append(missing, id)
		}
	}
	if slices.Sort(missing); len(missing) > 0 {
		t.Errorf("no method of the client reaches %v", missing)
	}
}

// argument is something of a type: the file's name where files are asked for.
func argument(ctx context.Context, kind reflect.Type, file string) reflect.Value {
	switch {
	case kind == reflect.TypeFor[context.Context]():
		return reflect.ValueOf(ctx)
	case kind == reflect.TypeFor[io.Writer]():
		return reflect.ValueOf(io.Discard)
	case kind == reflect.TypeFor[[]string]():
		return reflect.ValueOf([]string{file})
	case kind.Kind() == reflect.String:
		return reflect.ValueOf("x").Convert(kind)
	}
	return reflect.Zero(kind)
}

// TestUnreadableFile: a file that cannot be read is named, and the server is not blamed. A socket is one for everybody,
// root included.
func TestUnreadableFile(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	t.Cleanup(server.Close)
	dir, err := os.MkdirTemp("", "client-") // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	file := filepath.Join(dir, "bill.csv")
	socket, err := net.Listen("unix", file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	_, err = client.New(server.URL, outlay.NewSecret("token")).Import(t.Context(), "", "", []string{file})
	if e := outlay.AsError(err); e.Code != outlay.CodeInvalid || e.Field != file {
		t.Errorf("%v", err)
	}
}
