package aws

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
	Service string // "s3", "sts", "iam", "organizations", "bcm-data-exports", "ce", "cur"
	Op      string // "CreateBucket"
	Query   url.Values
	Form    url.Values // query protocol
	Bucket  string
	Key     string
	Caller  *principal
	Session string // role session name, for assumed roles
	Region  string // of the credential scope: the endpoint that a client meant
}

// operation is what the cloud can do.
type operation struct {
	run     func(*Cloud, *call) (answer, *refusal)
	changes bool // the state is saved afterwards
}

type answer = simcloud.Response

// refusal is an error of the cloud, rendered in the protocol of the service that was called.
type refusal struct {
	status  int
	code    string
	message string
	more    map[string]any // further members of a JSON error
	header  http.Header
}

func refuse(status int, code, format string, args ...any) *refusal {
	return &refusal{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

// with adds a member to a JSON error.
func (f *refusal) with(name string, value any) *refusal {
	if f.more == nil {
		f.more = map[string]any{}
	}
	f.more[name] = value
	return f
}

// targets maps the prefix of X-Amz-Target to the service (test-infrastructure.md R1).
func targets(prefix string) string {
	switch prefix {
	case "AWSBillingAndCostManagementDataExports":
		return "bcm-data-exports"
	case "AWSInsightsIndexService":
		return "ce"
	case "AWSOrganizationsV20161128":
		return "organizations"
	case "AWSOrigamiServiceGatewayService":
		return "cur"
	}
	return ""
}

func newCall(r *http.Request, body []byte) *call {
	k := &call{R: r, Body: body, Query: r.URL.Query()}
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		prefix, op, _ := strings.Cut(target, ".")
		k.Service, k.Op = targets(prefix), op
		return k
	}
	if r.Method == http.MethodPost && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		k.Form, _ = url.ParseQuery(string(body)) // a broken form has no Action, which is refused
		k.Op = k.Form.Get("Action")
		k.Service = queryService(k.Form.Get("Version"))
		return k
	}
	k.Service = "s3"
	k.Bucket, k.Key, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	k.Op = s3Operation(r, k.Bucket, k.Key, k.Query)
	return k
}

// queryService tells the services of the query protocol apart by their API version.
func queryService(version string) string {
	switch version {
	case "2011-06-15":
		return "sts"
	case "2010-05-08":
		return "iam"
	}
	return ""
}

// lookup finds the operation's code.
func (k *call) lookup() (operation, *refusal) {
	var ops map[string]operation
	switch k.Service {
	case "s3":
		ops = s3Operations()
	case "sts":
		ops = stsOperations()
	case "iam":
		ops = iamOperations()
	case "organizations":
		ops = organizationsOperations()
	case "bcm-data-exports":
		ops = exportOperations()
	case "ce":
		ops = tagOperations()
	case "cur":
		ops = reportOperations()
	}
	op, ok := ops[k.Op]
	if !ok {
		if k.Service == "s3" {
			return op, refuse(http.StatusNotImplemented, "NotImplemented", "The simulated cloud does not know %s %s", k.R.Method, k.R.URL.RequestURI())
		}
		return op, refuse(http.StatusBadRequest, "UnknownOperationException", "The simulated cloud does not know %q of %q", k.Op, k.Service)
	}
	return op, nil
}

// failed renders a refusal.
func (k *call) failed(f *refusal) answer {
	a := answer{Status: f.status, Header: http.Header{}, Code: f.code}
	maps.Copy(a.Header, f.header)
	switch k.Service {
	case "s3":
		a.Header.Set("Content-Type", "application/xml")
		// HEAD and 304 answers have no body: the SDK makes the code from the status.
		if k.R.Method != http.MethodHead && f.status != http.StatusNotModified {
			a.Body = simcloud.XML(s3Error{Code: f.code, Message: f.message, Resource: k.R.URL.Path, RequestID: k.ID, HostID: k.ID})
		}
	case "sts", "iam":
		a.Header.Set("Content-Type", "text/xml")
		a.Body = simcloud.XML(queryError{Type: "Sender", Code: f.code, Message: f.message, RequestID: k.ID})
	default:
		members := map[string]any{"__type": f.code, "Message": f.message}
		maps.Copy(members, f.more)
		a.Header.Set("Content-Type", "application/x-amz-json-1.1")
		a.Body, _ = json.Marshal(members) // texts and numbers always marshal
	}
	return a
}

type s3Error struct {
	XMLName   xml.Name `xml:"Error"`
	Code      string
	Message   string
	Resource  string
	RequestID string `xml:"RequestId"`
	HostID    string `xml:"HostId"`
}

type queryError struct {
	XMLName   xml.Name `xml:"ErrorResponse"`
	Type      string   `xml:"Error>Type"`
	Code      string   `xml:"Error>Code"`
	Message   string   `xml:"Error>Message"`
	RequestID string   `xml:"RequestId"`
}

// xmlAnswer is a 200 with an XML body.
func xmlAnswer(v any) (answer, *refusal) {
	return answer{Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/xml"}}, Body: simcloud.XML(v)}, nil
}

// jsonAnswer is a 200 in the JSON 1.1 protocol.
func jsonAnswer(v any) (answer, *refusal) {
	return answer{Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}}, Body: simcloud.JSON(v)}, nil
}

// decode reads a JSON 1.1 body.
func (k *call) decode(v any) *refusal {
	if err := json.Unmarshal(k.Body, v); err != nil {
		return refuse(http.StatusBadRequest, "SerializationException", "%s", err)
	}
	return nil
}

// wireTime is how JSON 1.1 members of type date-time are written.
func wireTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// xmlTime is how S3, STS and IAM write times.
func xmlTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
