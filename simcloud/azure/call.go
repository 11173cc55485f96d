package azure

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"outlay/simcloud"
)

// call is one request, taken apart.
type call struct {
	ID      string // request id
	R       *http.Request
	Body    []byte
	Service string // "entra", "arm", "blob"
	Op      string // "Exports_CreateOrUpdate"
	Query   url.Values
	P       map[string]string // the variable parts of the path, as written
	Caller  *app
	Subject string // object id of the caller
	route   *route
}

type answer = simcloud.Response

// refusal is an error of the cloud, rendered in the protocol of the service that was called.
type refusal struct {
	status  int
	code    string
	message string
	header  http.Header
}

func refuse(status int, code, format string, args ...any) *refusal {
	return &refusal{status: status, code: code, message: fmt.Sprintf(format, args...), header: http.Header{}}
}

func (f *refusal) with(name, value string) *refusal {
	f.header.Set(name, value)
	return f
}

// newCall finds the operation behind a request. ARM's paths ignore letter case; so do names in them.
func (c *Cloud) newCall(r *http.Request, body []byte) *call {
	k := &call{R: r, Body: body, Query: r.URL.Query(), Service: "arm"}
	switch path := strings.ToLower(r.URL.Path); {
	case strings.HasPrefix(path, "/blob/"):
		k.Service = "blob"
		k.route, k.P = blobRoute(r, k.Query)
		if k.route != nil {
			k.Op = k.route.op
		}
		return k
	case strings.HasSuffix(path, "/oauth2/v2.0/token"), strings.HasSuffix(path, "/.well-known/openid-configuration"):
		k.Service = "entra"
	}
	for i := range c.routes {
		if m := c.routes[i].match(r.Method, r.URL.Path); m != nil {
			k.route, k.P, k.Op = &c.routes[i], m, c.routes[i].op
			return k
		}
	}
	return k
}

// unknown refuses a call that the cloud does not know, never something near.
func (k *call) unknown() *refusal {
	if k.Service == "blob" {
		return refuse(http.StatusNotImplemented, "NotImplemented", "The simulated cloud does not know %s %s", k.R.Method, k.R.URL.RequestURI())
	}
	return refuse(http.StatusNotFound, "InvalidResourceType", "The simulated cloud does not know %s %s", k.R.Method, k.R.URL.Path)
}

// failed renders a refusal.
func (k *call) failed(f *refusal) answer {
	a := answer{Status: f.status, Header: http.Header{}, Code: f.code}
	maps.Copy(a.Header, f.header)
	switch k.Service {
	case "blob":
		a.Header.Set("X-Ms-Error-Code", f.code)
		// HEAD and 304 answers have no body: the SDK takes the code from the header.
		if k.R.Method != http.MethodHead && f.status != http.StatusNotModified {
			a.Header.Set("Content-Type", "application/xml")
			a.Body = simcloud.XML(blobError{Code: f.code, Message: f.message + "\nRequestId:" + k.ID})
		}
	case "entra":
		a.Header.Set("Content-Type", "application/json; charset=utf-8")
		a.Body = simcloud.JSON(map[string]any{"error": f.code, "error_description": f.message, "trace_id": k.ID, "correlation_id": k.ID})
	default:
		a.Header.Set("Content-Type", "application/json; charset=utf-8")
		if k.R.Method != http.MethodHead {
			a.Body = simcloud.JSON(map[string]any{"error": map[string]any{"code": f.code, "message": f.message}})
		}
	}
	return a
}

type blobError struct {
	XMLName xml.Name `xml:"Error"`
	Code    string
	Message string
}

// object is a JSON object of an answer.
type object = map[string]any

// jsonAnswer is an answer with a JSON body.
func jsonAnswer(status int, v any) (answer, *refusal) {
	return answer{Status: status, Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}, Body: simcloud.JSON(v)}, nil
}

// empty is an answer without a body.
func empty(status int) (answer, *refusal) { return answer{Status: status, Header: http.Header{}}, nil }

// decode reads a JSON body.
func (k *call) decode(v any) *refusal {
	if len(k.Body) == 0 {
		return refuse(http.StatusBadRequest, "MissingRequestBody", "The request body is missing.")
	}
	if err := json.Unmarshal(k.Body, v); err != nil {
		return refuse(http.StatusBadRequest, "InvalidRequestContent", "The request content was invalid and could not be deserialized: '%s'.", err)
	}
	return nil
}

// wireTime is how Resource Manager writes times.
func wireTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }

// blobTime is how Blob writes times.
func blobTime(t time.Time) string { return t.UTC().Format(http.TimeFormat) }
