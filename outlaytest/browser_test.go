package outlaytest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestTabSeesDefects shows a page with a picture without words and a box of 3000 px: the checks must not be blind.
func TestTabSeesDefects(t *testing.T) {
	const page = `<!doctype html><html lang="en" data-js><title>x</title><main><h1>x</h1><img src="data:,"><p class="wide" style="width: 3000px">x</p></main>`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(page))
	}))
	t.Cleanup(server.Close)
	tab := NewTab(t, time.Minute)
	tab.Allow("favicon")
	tab.Open(server.URL + "/page")
	if got := tab.Axe("../node_modules/axe-core/axe.min.js"); !strings.Contains(got, "image-alt") {
		t.Errorf("axe says %q", got)
	}
	if got := tab.TooWide(); !strings.Contains(got, "P.wide") {
		t.Errorf("too wide is %q", got)
	}
	tab.WithoutScript()
	if got := tab.Address(); got != server.URL+"/page" {
		t.Errorf("the address is %q", got)
	}
}
