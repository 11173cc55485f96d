package outlaytest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// restOperation names the S3 operation of a path-style request: the one whose fixed and required parts are all there,
// and of several the one with most of them. The SDK says it itself in x-id where the path alone does not.
func (m *awsModel) restOperation(r *http.Request) string {
	query := r.URL.Query()
	if id := query.Get("x-id"); id != "" && m.Operations[id].Name != "" {
		return id
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	best, most := "", -1
	for name, op := range m.Operations {
		path, fixed, _ := strings.Cut(op.HTTP.RequestURI, "?")
		if op.HTTP.Method != r.Method || op.Deprecated || strings.Contains(path, "{Key+}") != (key != "") || strings.Contains(path, "{Bucket}") != (bucket != "") {
			continue
		}
		if n, ok := m.matches(op, fixed, query, r.Header); ok && (n > most || (n == most && name < best)) {
			best, most = name, n
		}
	}
	return best
}

func (m *awsModel) matches(op awsOperation, fixed string, query url.Values, header http.Header) (n int, ok bool) {
	want, _ := url.ParseQuery(fixed) // model files hold nothing else
	for name, values := range want {
		if !query.Has(name) || (values[0] != "" && values[0] != query.Get(name)) {
			return 0, false
		}
		n += 10
	}
	in := m.Shapes[op.Input.Shape]
	for _, r := range in.Required {
		switch ref := in.Members[r]; ref.Location {
		case "querystring":
			if !query.Has(ref.LocationName) {
				return 0, false
			}
			n += 10
		case "header":
			if header.Get(ref.LocationName) == "" {
				return 0, false
			}
			n += 10
		}
	}
	return n, true
}

// anyS3Header tells headers that every call may carry.
func anyS3Header(name string) bool {
	always := []string{
		"x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "x-amz-user-agent", "x-amz-trailer",
		"x-amz-decoded-content-length", "x-amz-sdk-checksum-algorithm",
	}
	return slices.Contains(always, name) || strings.HasPrefix(name, "x-amz-checksum-") || strings.HasPrefix(name, "x-amz-meta-")
}

func (v verdict) restRequest(c *check, r *http.Request, body []byte) {
	op := v.model.Operations[v.operation]
	in := v.model.Shapes[op.Input.Shape]
	_, fixed, _ := strings.Cut(op.HTTP.RequestURI, "?")
	static, _ := url.ParseQuery(fixed) // model files hold nothing else
	inQuery, inHeader := map[string]awsRef{}, map[string]awsRef{}
	for _, ref := range in.Members {
		switch ref.Location {
		case "querystring":
			inQuery[ref.LocationName] = ref
		case "header":
			inHeader[strings.ToLower(ref.LocationName)] = ref
		}
	}
	for name, values := range r.URL.Query() {
		ref, ok := inQuery[name]
		if !ok && !static.Has(name) && name != "x-id" && !newer(v.operation+" "+name) {
			c.say("", "has the unknown parameter "+name)
		}
		v.model.checkText(c, name, ref, values[0])
	}
	for name, values := range r.Header {
		low := strings.ToLower(name)
		ref, ok := inHeader[low]
		if !ok && strings.HasPrefix(low, "x-amz-") && !anyS3Header(low) && !newer(v.operation+" "+low) {
			c.say("", "has the unknown header "+low)
		}
		if low != "content-type" && low != "expires" {
			v.model.checkText(c, low, ref, values[0])
		}
	}
	v.requirePlaces(c, in, r)
	v.restBody(c, in, body)
}

// checkText holds one header or parameter against its shape.
func (m *awsModel) checkText(c *check, path string, ref awsRef, text string) {
	s, ok := m.Shapes[ref.Shape]
	if !ok {
		return
	}
	switch s.Type {
	case "timestamp":
		if _, err := http.ParseTime(text); err != nil {
			c.say(path, text+" is not a time")
		}
	case "list", "map", "structure": // written in forms of their own
	default:
		m.check(c, path, ref.Shape, scalar(s, text))
	}
}

func (v verdict) requirePlaces(c *check, in awsShape, r *http.Request) {
	for _, name := range in.Required {
		ref := in.Members[name]
		if ref.Location == "header" && r.Header.Get(ref.LocationName) == "" {
			c.say("", "lacks the header "+ref.LocationName)
		}
		if ref.Location == "querystring" && !r.URL.Query().Has(ref.LocationName) {
			c.say("", "lacks the parameter "+ref.LocationName)
		}
	}
}

func (v verdict) restBody(c *check, in awsShape, body []byte) {
	ref, ok := in.Members[in.Payload]
	if !ok {
		if len(body) > 0 {
			c.say("", "has a body, which the operation does not take")
		}
		return
	}
	if v.model.Shapes[ref.Shape].Type != "structure" || len(body) == 0 {
		if len(body) == 0 && slices.Contains(in.Required, in.Payload) && v.model.Shapes[ref.Shape].Type == "structure" {
			c.say("", "lacks its body")
		}
		return
	}
	root, err := parseXML(body)
	if err != nil {
		c.say("", "is not XML: "+err.Error())
		return
	}
	if want := orElse(ref.LocationName, in.Payload); root.name != want {
		c.say("", "has a body "+root.name+", want "+want)
	}
	v.model.check(c, in.Payload, ref.Shape, v.model.tree(c, in.Payload, ref.Shape, root))
}

func (v verdict) restAnswer(c *check, op awsOperation, r *http.Request, a *seenAnswer, failed bool) {
	if r.Method == http.MethodHead || a.status == http.StatusNotModified {
		if a.body.Len() > 0 {
			c.say("", "has a body, which HEAD and 304 may not")
		}
		if failed {
			return
		}
	}
	if failed {
		root, err := parseXML(a.body.Bytes())
		if err != nil || root.name != "Error" || root.find("Code") == nil {
			c.say("", "is not an Error document")
		}
		return
	}
	out := v.model.Shapes[op.Output.Shape]
	known := map[string]awsRef{}
	for _, ref := range out.Members {
		if ref.Location == "header" {
			known[strings.ToLower(ref.LocationName)] = ref
		}
	}
	for name, values := range a.Header() {
		low := strings.ToLower(name)
		ref, ok := known[low]
		if !ok && strings.HasPrefix(low, "x-amz-") && !anyS3Answer(low) && !newer(op.Output.Shape+" "+low) {
			c.say("", "has the unknown header "+low)
		}
		v.model.checkText(c, low, ref, values[0])
	}
	v.restAnswerBody(c, op, out, a)
}

// anyS3Answer tells headers that every answer may carry.
func anyS3Answer(name string) bool {
	return slices.Contains([]string{"x-amz-request-id", "x-amzn-requestid", "x-amz-id-2", "x-amz-bucket-region"}, name)
}

func (v verdict) restAnswerBody(c *check, op awsOperation, out awsShape, a *seenAnswer) {
	shape := op.Output.Shape
	if ref, ok := out.Members[out.Payload]; ok {
		if shape = ref.Shape; v.model.Shapes[shape].Type != "structure" {
			return // bytes or text
		}
	}
	if a.body.Len() == 0 {
		for _, ref := range out.Members {
			if ref.Location == "" && len(out.Required) > 0 {
				c.say("", "has no body")
				return
			}
		}
		return
	}
	root, err := parseXML(a.body.Bytes())
	if err != nil {
		c.say("", "is not XML: "+err.Error())
		return
	}
	if v.operation == "GetBucketLocation" {
		return // the constraint is the root element itself, which the model cannot say
	}
	v.model.check(c, shape, shape, v.model.tree(c, shape, shape, root))
}
