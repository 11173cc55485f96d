package google

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"outlay/simcloud"
)

// call is one request, taken apart.
type call struct {
	R      *http.Request
	Body   []byte
	Query  url.Values
	route  *route
	parts  []string // what the holes of the path held
	Caller *identity
	job    *job      // the query job that was made, for the log
	spoil  FaultKind // what a fault does to a stream
}

// route is one method of one service.
type route struct {
	id      string // as the discovery document names it: "bigquery.datasets.insert"
	method  string
	path    *regexp.Regexp
	run     func(*Cloud, *call) (answer, *refusal)
	changes bool // the state is saved afterwards
	open    bool // needs no token
}

func (r *route) service() string { s, _, _ := strings.Cut(r.id, "."); return s }

type answer = simcloud.Response

// refusal is an error of the cloud. code is BigQuery's reason ("notFound"), from which the others' status follows.
type refusal struct {
	status  int
	code    string
	message string
	details []any // google.rpc details, of services other than BigQuery
	where   string
}

func refuse(status int, code, format string, args ...any) *refusal {
	return &refusal{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

// obj is a JSON object.
type obj = map[string]any

// hole is {name}: one segment of a path, up to a custom verb.
var hole = regexp.MustCompile(`\{[a-z]+\}`)

// on makes a route; {x} in pattern matches a segment, or a part of one.
func on(id, method, pattern string, run func(*Cloud, *call) (answer, *refusal)) route {
	var b strings.Builder
	rest := pattern
	for loc := hole.FindStringIndex(rest); loc != nil; loc = hole.FindStringIndex(rest) {
		b.WriteString(regexp.QuoteMeta(rest[:loc[0]]) + `([^/]+?)`)
		rest = rest[loc[1]:]
	}
	b.WriteString(regexp.QuoteMeta(rest))
	return route{id: id, method: method, path: regexp.MustCompile("^" + b.String() + "$"), run: run}
}

func (r route) changing() route { r.changes = true; return r }

func (r route) opened() route { r.open = true; return r }

func (c *Cloud) newCall(r *http.Request, body []byte) *call {
	k := &call{R: r, Body: body, Query: r.URL.Query()}
	for i := range c.routes {
		rt := &c.routes[i]
		if rt.method != r.Method {
			continue
		}
		if m := rt.path.FindStringSubmatch(r.URL.EscapedPath()); m != nil {
			k.route = rt
			for _, part := range m[1:] {
				if plain, err := url.PathUnescape(part); err == nil {
					part = plain
				}
				k.parts = append(k.parts, part)
			}
			return k
		}
	}
	return k
}

func (k *call) op() string {
	if k.route == nil {
		return k.R.Method + " " + k.R.URL.Path
	}
	return k.route.id
}

func (k *call) service() string {
	if k.route == nil {
		return ""
	}
	return k.route.service()
}

// statusWord is the google.rpc code that goes with an HTTP status.
func statusWord(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "INVALID_ARGUMENT"
	case http.StatusUnauthorized:
		return "UNAUTHENTICATED"
	case http.StatusForbidden:
		return "PERMISSION_DENIED"
	case http.StatusNotFound:
		return "NOT_FOUND"
	case http.StatusConflict:
		return "ALREADY_EXISTS"
	case http.StatusPreconditionFailed:
		return "FAILED_PRECONDITION"
	case http.StatusTooManyRequests:
		return "RESOURCE_EXHAUSTED"
	case http.StatusServiceUnavailable:
		return "UNAVAILABLE"
	}
	return "INTERNAL"
}

// failed renders a refusal: OAuth has a form of its own, BigQuery names a reason, the others a status and details.
func (k *call) failed(f *refusal) answer {
	a := answer{Status: f.status, Header: http.Header{"Content-Type": {"application/json; charset=UTF-8"}}, Code: f.code}
	if f.status == http.StatusUnauthorized {
		a.Header.Set("Www-Authenticate", `Bearer realm="https://accounts.google.com/", error="invalid_token"`)
	}
	switch k.service() {
	case "oauth2", "sts":
		a.Body = simcloud.JSON(obj{"error": f.code, "error_description": f.message})
		return a
	case "console":
		a.Header.Set("Content-Type", "text/html; charset=utf-8")
		a.Body = consoleError(f)
		return a
	}
	one := obj{"message": f.message, "domain": "global", "reason": f.code}
	if f.where != "" {
		one["location"], one["locationType"] = f.where, "other"
	}
	e := obj{"code": f.status, "message": f.message, "status": statusWord(f.status), "errors": []any{one}}
	if k.service() != "bigquery" {
		delete(e, "errors")
	}
	if len(f.details) > 0 {
		e["details"] = f.details
	}
	a.Body = simcloud.JSON(obj{"error": e})
	return a
}

// ok is a 200 with a JSON body.
func ok(v any) (answer, *refusal) {
	return answer{Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json; charset=UTF-8"}}, Body: simcloud.JSON(v)}, nil
}

// decode reads a JSON body.
func (k *call) decode(v any) *refusal {
	if len(k.Body) == 0 {
		return nil
	}
	if err := json.Unmarshal(k.Body, v); err != nil {
		return refuse(http.StatusBadRequest, "parseError", "Invalid JSON payload received. %s", err)
	}
	return nil
}
