// Package web is the pages: what a person sees and presses. Each handler calls one verb of control, and a template shows
// the answer; no page decides who may do what. Pages work without JavaScript, keep their state in the URL, and carry
// neither inline script nor style, so that the Content-Security-Policy can forbid both.
package web

import (
	"embed"
	"html/template"
	"log/slog"
	"net/http"

	"github.com/klauspost/compress/gzhttp"

	"outlay"
	"outlay/auth"
	"outlay/control"
)

//go:embed templates static
var files embed.FS

// Options is what the pages work with.
type Options struct {
	Control *control.Control
	Auth    *auth.Auth
	Clock   outlay.Clock
	Log     *slog.Logger
	Version string
	// DemoNote, when not empty, stands above every page: what is simulated, and how to sign in.
	DemoNote string
	// Uploads is a folder for files on their way in; "" is the system's.
	Uploads string
	// Secure says that people come by https: answers then carry HSTS and the theme cookie is Secure.
	Secure bool
}

// site is the pages at work.
type site struct {
	Options
	pages  map[string]*template.Template
	assets assets
}

// New returns the handler of every page. It holds auth's middleware already (sessions, cross-origin protection), so
// nothing else needs to wrap it. It fails when a template or an asset cannot be read, and panics when a route has no
// declared action: both are faults of the program.
func New(o Options) (http.Handler, error) {
	s := &site{Options: o}
	var err error
	if s.assets, err = loadAssets(files); err != nil {
		return nil, err
	}
	if s.pages, err = s.parse(files); err != nil {
		return nil, err
	}
	zip, err := gzhttp.NewWrapper(gzhttp.MinSize(1024), gzhttp.ExceptContentTypes([]string{"text/event-stream", "font/woff2"}))
	if err != nil {
		return nil, err
	}
	pages, outer := http.NewServeMux(), http.NewServeMux()
	for _, r := range s.routes() {
		h := http.Handler(s.guard(r))
		if !r.stream { // a stream is flushed message by message; compressing would hold them back
			h = zip(h)
		}
		pages.Handle(r.pattern, h)
	}
	outer.Handle("/", o.Auth.Middleware(pages))
	outer.Handle("GET /static/{hash}/{name...}", zip(s.guard(route{pattern: "static", action: anyone, handle: s.assets.serve}))) // asks nobody who he is
	return s.headers(outer), nil
}
