package outlaytest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// node is an XML element.
type node struct {
	name     string
	attrs    map[string]string
	children []*node
	text     string
}

func parseXML(b []byte) (*node, error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	var stack []*node
	var root *node
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) && root != nil && len(stack) == 0 {
			return root, nil
		}
		if err != nil {
			return nil, err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			n := &node{name: tok.Name.Local, attrs: map[string]string{}}
			for _, a := range tok.Attr {
				n.attrs[a.Name.Local] = a.Value
			}
			if len(stack) > 0 {
				top := stack[len(stack)-1]
				top.children = append(top.children, n)
			} else {
				root = n
			}
			stack = append(stack, n)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(stack) > 0 {
				stack[len(stack)-1].text += string(tok)
			}
		}
	}
}

// scalar turns a text into the value that JSON would hold.
func scalar(s awsShape, text string) any {
	switch s.Type {
	case "integer", "long", "double", "float":
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return f
		}
	case "boolean":
		if b, err := strconv.ParseBool(text); err == nil {
			return b
		}
	}
	return text
}

// tree turns an XML element into the tree that check reads. Elements that the shape does not name are findings.
func (m *awsModel) tree(c *check, path, name string, n *node) any {
	s := m.Shapes[name]
	switch s.Type {
	case "structure":
		return m.structure(c, path, name, n)
	case "list":
		out := []any{}
		element := orElse(s.Member.LocationName, "member")
		for _, child := range n.children {
			if child.name != element {
				c.say(path, "holds the unknown element "+child.name)
				continue
			}
			out = append(out, m.tree(c, path+"[]", s.Member.Shape, child))
		}
		return out
	}
	return scalar(s, n.text)
}

func (m *awsModel) structure(c *check, path, name string, n *node) any {
	s := m.Shapes[name]
	out := map[string]any{}
	known := map[string]string{} // element → member
	for member, ref := range s.Members {
		if ref.Location == "" && !ref.XMLAttribute {
			element := orElse(ref.LocationName, member)
			if m.flat(ref) {
				element = orElse(m.Shapes[ref.Shape].Member.LocationName, element)
				if ref.LocationName != "" {
					element = ref.LocationName
				}
			}
			known[element] = member
		}
		if ref.XMLAttribute {
			_, attr, _ := strings.Cut(":"+ref.LocationName, ":")
			out[member] = n.attrs[attr[strings.LastIndex(attr, ":")+1:]]
		}
	}
	for _, child := range n.children {
		member, ok := known[child.name]
		if !ok {
			if !newer(name + "." + child.name) {
				c.say(path, "holds the unknown element "+child.name)
			}
			continue
		}
		ref := s.Members[member]
		if m.flat(ref) {
			list, _ := out[member].([]any)
			out[member] = append(list, m.tree(c, path+"."+member+"[]", m.Shapes[ref.Shape].Member.Shape, child))
			continue
		}
		out[member] = m.tree(c, path+"."+member, ref.Shape, child)
	}
	return out
}

func (m *awsModel) flat(ref awsRef) bool {
	s := m.Shapes[ref.Shape]
	return s.Type == "list" && (ref.Flattened || s.Flattened)
}

func orElse(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

// queryRequest judges a form of the query protocol.
func (j *awsJudge) queryRequest(c *check, body []byte) verdict {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		c.say("", "is not a form: "+err.Error())
	}
	services := map[string]string{"2011-06-15": "sts", "2010-05-08": "iam"}
	v := verdict{j.model(services[form.Get("Version")]), form.Get("Action"), "query"}
	op, ok := v.model.Operations[v.operation]
	if !ok {
		c.say("", "is no operation of the service")
		return v
	}
	used := map[string]bool{"Action": true, "Version": true}
	tree := v.model.formTree(form, used, "", op.Input.Shape)
	for name := range form {
		if !used[name] {
			c.say("", "has the unknown parameter "+name)
		}
	}
	if op.Input.Shape != "" {
		v.model.check(c, v.operation, op.Input.Shape, tree)
	}
	return v
}

// formTree reads Name, Name.member.1 and Name.Sub of a form into a tree; used notes what it read.
func (m *awsModel) formTree(form url.Values, used map[string]bool, prefix, name string) any {
	s := m.Shapes[name]
	switch s.Type {
	case "structure":
		out := map[string]any{}
		for member, ref := range s.Members {
			at := orElse(ref.LocationName, member)
			if prefix != "" {
				at = prefix + "." + at
			}
			if hasPrefix(form, at) {
				out[member] = m.formTree(form, used, at, ref.Shape)
			}
		}
		return out
	case "list":
		out := []any{}
		for i := 1; hasPrefix(form, fmt.Sprintf("%s.member.%d", prefix, i)); i++ {
			out = append(out, m.formTree(form, used, fmt.Sprintf("%s.member.%d", prefix, i), s.Member.Shape))
		}
		return out
	}
	used[prefix] = true
	return scalar(s, form.Get(prefix))
}

func hasPrefix(form url.Values, at string) bool {
	for name := range form {
		if name == at || strings.HasPrefix(name, at+".") {
			return true
		}
	}
	return false
}

func (v verdict) queryAnswer(c *check, op awsOperation, a *seenAnswer, failed bool) {
	root, err := parseXML(a.body.Bytes())
	if err != nil {
		c.say("", "is not XML: "+err.Error())
		return
	}
	if failed {
		if root.name != "ErrorResponse" || root.find("Error", "Code") == nil || root.find("RequestId") == nil {
			c.say("", "is not an ErrorResponse")
		}
		return
	}
	if root.name != v.operation+"Response" || root.find("ResponseMetadata", "RequestId") == nil {
		c.say("", "has no "+v.operation+"Response with a request id")
	}
	result := root.find(op.Output.ResultWrapper)
	if result == nil {
		c.say("", "lacks "+op.Output.ResultWrapper)
		return
	}
	v.model.check(c, op.Output.Shape, op.Output.Shape, v.model.tree(c, op.Output.Shape, op.Output.Shape, result))
}

func (n *node) find(path ...string) *node {
	for _, name := range path {
		i := slices.IndexFunc(n.children, func(x *node) bool { return x.name == name })
		if i < 0 {
			return nil
		}
		n = n.children[i]
	}
	return n
}
