package outlaytest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// awsRef points from a member to its shape, and says where on the wire it stands.
type awsRef struct {
	Shape        string
	Location     string // "", "header", "headers", "querystring", "uri", "statusCode"
	LocationName string
	XMLAttribute bool
	Flattened    bool
}

type awsShape struct {
	Type            string
	Required, Enum  []string
	Members         map[string]awsRef
	Member          awsRef
	Key, Value      awsRef
	Pattern         string
	Min, Max        *float64
	Payload         string
	Flattened       bool
	Exception       bool
	LocationName    string
	TimestampFormat string
}

type awsOperation struct {
	Name       string
	HTTP       struct{ Method, RequestURI string }
	Input      awsRef
	Output     struct{ Shape, ResultWrapper string }
	Deprecated bool
}

// awsModel is an api-2.json.
type awsModel struct {
	Operations map[string]awsOperation
	Shapes     map[string]awsShape
}

func readAWSModel(dir, service string) (*awsModel, error) {
	files, err := filepath.Glob(filepath.Join(dir, service, "*", "api-2.json"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no model of %q in %s", service, dir)
	}
	slices.Sort(files)
	b, err := os.ReadFile(files[len(files)-1])
	if err != nil {
		return nil, err
	}
	m := &awsModel{}
	return m, json.Unmarshal(b, m)
}

// check collects findings.
type check struct{ findings []string }

func (c *check) say(path, what string) {
	c.findings = append(c.findings, strings.TrimSpace(path+" "+what))
}

// patternEscape finds \u0020, which Go writes \x{0020}.
var patternEscape = regexp.MustCompile(`\\u([0-9A-Fa-f]{4})`)

func (s awsShape) fits(n float64) bool {
	return (s.Min == nil || n >= *s.Min) && (s.Max == nil || n <= *s.Max)
}

// text is what is wrong with a text, or "". Patterns with look-around, which Go lacks, are passed over.
func (s awsShape) text(x string) string {
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, x) {
		return fmt.Sprintf("%q is not one of %v", x, s.Enum)
	}
	if s.Pattern != "" {
		re, err := regexp.Compile("^(?:" + patternEscape.ReplaceAllString(s.Pattern, `\x{$1}`) + ")$")
		if err == nil && !re.MatchString(x) {
			return fmt.Sprintf("%q does not match %s", x, s.Pattern)
		}
	}
	if n := utf8.RuneCountInString(x); !s.fits(float64(n)) {
		return fmt.Sprintf("length %d is out of bounds", n)
	}
	return ""
}

// kindOf is the Go type of a shape's value in a tree of encoding/json.
func kindOf(shape string) string {
	switch shape {
	case "structure", "map":
		return "map[string]interface {}"
	case "list":
		return "[]interface {}"
	case "string":
		return "string"
	case "boolean":
		return "bool"
	case "integer", "long", "double", "float":
		return "float64"
	}
	return ""
}

// check holds a tree against a shape.
func (m *awsModel) check(c *check, path, name string, v any) {
	s := m.Shapes[name]
	if want := kindOf(s.Type); want != "" && want != fmt.Sprintf("%T", v) {
		c.say(path, fmt.Sprintf("is %T, want %s", v, s.Type))
		return
	}
	switch x := v.(type) {
	case map[string]any:
		m.checkMembers(c, path, name, x)
	case []any:
		if !s.fits(float64(len(x))) {
			c.say(path, fmt.Sprintf("has %d elements, which is out of bounds", len(x)))
		}
		for i, y := range x {
			m.check(c, fmt.Sprintf("%s[%d]", path, i), s.Member.Shape, y)
		}
	case string:
		if s.Type == "timestamp" {
			if _, err := time.Parse(time.RFC3339, x); err != nil {
				c.say(path, fmt.Sprintf("%q is not a time", x))
			}
		} else if wrong := s.text(x); wrong != "" && !newer(name+"="+x) {
			c.say(path, wrong)
		}
	case float64:
		if !s.fits(x) {
			c.say(path, fmt.Sprintf("%v is out of bounds", x))
		}
	}
}

func (m *awsModel) checkMembers(c *check, path, name string, x map[string]any) {
	s := m.Shapes[name]
	for _, r := range s.Required {
		if _, ok := x[r]; !ok && s.Members[r].Location == "" {
			c.say(path, "lacks "+r)
		}
	}
	for k, y := range x {
		if s.Type == "map" {
			m.check(c, path+"{key}", s.Key.Shape, k)
			m.check(c, path+"."+k, s.Value.Shape, y)
			continue
		}
		if ref, ok := s.Members[k]; ok {
			m.check(c, path+"."+k, ref.Shape, y)
		} else if !newer(name + "." + k) {
			c.say(path, "has the unknown member "+k)
		}
	}
}
