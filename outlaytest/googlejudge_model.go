package outlaytest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// googleModel is a discovery document.
type googleModel struct {
	Name        string
	ServicePath string
	Parameters  map[string]googleSchema // of every method
	Schemas     map[string]googleSchema
	googleResource
	methods []*googleMethod
}

type googleResource struct {
	Resources map[string]googleResource // nested in cloudbilling and cloudresourcemanager
	Methods   map[string]*googleMethod
}

type googleMethod struct {
	ID                         string
	HTTPMethod, FlatPath, Path string
	Parameters                 map[string]googleSchema
	Request, Response          *googleSchema

	path    *regexp.Regexp
	literal int // characters of the path outside of holes
}

type googleSchema struct {
	Type, Format, Pattern string
	Ref                   string `json:"$ref"`
	Enum                  []string
	Properties            map[string]googleSchema
	Items                 *googleSchema
	Extra                 *googleSchema `json:"additionalProperties"`
	Required              any           // true for a parameter
	Repeated              bool
	Location              string
	Annotations           struct{ Required []string }
}

// googleHole is {x} or {+x} in a path, quoted.
var googleHole = regexp.MustCompile(`\\\{\\?\+?[^}]+\\\}`)

// compiled lists the methods with their paths as patterns.
func (m *googleModel) compiled() *googleModel {
	m.gather(m.googleResource)
	return m
}

func (m *googleModel) gather(r googleResource) {
	for _, method := range r.Methods {
		path := method.FlatPath
		if path == "" {
			path = method.Path
		}
		plain := regexp.QuoteMeta("/" + m.ServicePath + path)
		method.path = regexp.MustCompile("^" + googleHole.ReplaceAllString(plain, `[^/]+`) + "$")
		method.literal = len(googleHole.ReplaceAllString(plain, ""))
		m.methods = append(m.methods, method)
	}
	for _, sub := range r.Resources {
		m.gather(sub)
	}
}

func (m *googleModel) request(c *check, method *googleMethod, r *http.Request, body []byte) {
	query := r.URL.Query()
	for name, values := range query {
		p, known := method.Parameters[name]
		if !known {
			p, known = m.Parameters[name]
		}
		switch {
		case !known:
			c.say("", "unknown query parameter "+name)
		case len(values) > 1 && !p.Repeated:
			c.say("", "the query parameter "+name+" is given twice")
		default:
			for _, v := range values {
				p.parameter(c, name, v)
			}
		}
	}
	for name, p := range method.Parameters {
		if p.Required == true && p.Location == "query" && !query.Has(name) {
			c.say("", "lacks the query parameter "+name)
		}
	}
	if len(body) == 0 {
		return
	}
	if method.Request == nil {
		if strings.TrimSpace(string(body)) != "{}" {
			c.say("", "has a body where none belongs")
		}
		return
	}
	tree, err := decodeNumbers(body)
	if err != nil {
		c.say("", "is not JSON: "+err.Error())
		return
	}
	m.check(c, method.Request.Ref, *method.Request, tree)
}

func (s googleSchema) parameter(c *check, name, value string) {
	switch s.Type {
	case "boolean":
		if value != "true" && value != "false" {
			c.say(name, fmt.Sprintf("is %q, want a boolean", value))
		}
	case "integer":
		if _, err := strconv.ParseInt(value, 10, 64); err != nil {
			c.say(name, fmt.Sprintf("is %q, want an integer", value))
		}
	default:
		s.text(c, name, value)
	}
}

func (m *googleModel) answer(c *check, method *googleMethod, a *seenAnswer) {
	if a.body.Len() == 0 {
		if method.Response != nil && a.status != http.StatusNoContent {
			c.say("", "is empty")
		}
		return
	}
	tree, err := decodeNumbers(a.body.Bytes())
	if err != nil {
		c.say("", "is not JSON: "+err.Error())
		return
	}
	if a.status >= 300 {
		m.failure(c, a.status, tree)
		return
	}
	if method.Response == nil {
		c.say("", "has a body where none belongs")
		return
	}
	m.check(c, method.Response.Ref, *method.Response, tree)
}

// failure judges the form that all services share: google.rpc.Status in the member error, its code the HTTP status.
func (m *googleModel) failure(c *check, status int, tree any) {
	top, _ := tree.(map[string]any)
	e, _ := top["error"].(map[string]any)
	code, _ := e["code"].(json.Number)
	message, _ := e["message"].(string)
	if code.String() != strconv.Itoa(status) || message == "" {
		c.say("", fmt.Sprintf("is an error of status %d without its code and message: %v", status, tree))
	}
	if m.Name == "bigquery" {
		if list, _ := e["errors"].([]any); len(list) == 0 {
			c.say("", "is an error of BigQuery without a reason")
		}
	}
}

// decodeNumbers keeps numbers as texts, so that an int64 which must travel as text can be told from one that does not.
func decodeNumbers(b []byte) (any, error) {
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.UseNumber()
	var tree any
	err := d.Decode(&tree)
	return tree, err
}

// check holds a tree against a schema.
func (m *googleModel) check(c *check, path string, s googleSchema, v any) {
	if s.Ref != "" {
		s = m.Schemas[s.Ref]
	}
	switch x := v.(type) {
	case nil: // null: a label to take away, a NULL in a cell
	case map[string]any:
		m.checkObject(c, path, s, x)
	case []any:
		if s.Items == nil {
			if s.Type != "any" {
				c.say(path, "a list is not expected")
			}
			return
		}
		for i, y := range x {
			m.check(c, fmt.Sprintf("%s[%d]", path, i), *s.Items, y)
		}
	case string:
		if s.Type != "string" && s.Type != "any" {
			c.say(path, "is a text, want "+s.Type)
			return
		}
		s.text(c, path, x)
	case json.Number:
		// An int64 travels as a text: the generated clients do not read numbers there.
		if s.Type != "integer" && s.Type != "number" && s.Type != "any" {
			c.say(path, "is a number, want "+s.Type+" "+s.Format)
		}
	case bool:
		if s.Type != "boolean" && s.Type != "any" {
			c.say(path, "is a boolean, want "+s.Type)
		}
	}
}

func (m *googleModel) checkObject(c *check, path string, s googleSchema, x map[string]any) {
	if s.Type != "object" && s.Type != "any" {
		c.say(path, "is an object, want "+s.Type)
		return
	}
	for k, y := range x {
		switch p, known := s.Properties[k]; {
		case known:
			m.check(c, path+"."+k, p, y)
		case s.Extra != nil:
			m.check(c, path+"."+k, *s.Extra, y)
		case s.Type != "any":
			c.say(path, "unknown field "+k)
		}
	}
}

// text holds a text against enumeration, pattern and format.
func (s googleSchema) text(c *check, path, x string) {
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, x) {
		c.say(path, fmt.Sprintf("%q is not one of %v", x, s.Enum))
	}
	if s.Pattern != "" {
		if re, err := regexp.Compile(s.Pattern); err == nil && !re.MatchString(x) {
			c.say(path, fmt.Sprintf("%q does not match %s", x, s.Pattern))
		}
	}
	wrong := false
	switch s.Format {
	case "int64":
		_, err := strconv.ParseInt(x, 10, 64)
		wrong = err != nil
	case "uint64":
		_, err := strconv.ParseUint(x, 10, 64)
		wrong = err != nil
	case "google-datetime", "date-time":
		_, err := time.Parse(time.RFC3339Nano, x)
		wrong = err != nil
	case "byte":
		_, err := base64.StdEncoding.DecodeString(x)
		wrong = err != nil
	}
	if wrong {
		c.say(path, fmt.Sprintf("%q is no %s", x, s.Format))
	}
}
