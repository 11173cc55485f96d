package web

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"outlay"
	"outlay/control"
)

// loader is the importer behind the pages: it reads what arrived and answers what the test says.
type loader struct {
	got  []string // "name: content" of each file, after "source format"
	res  control.ImportResult
	fail error
}

func (l *loader) ImportFiles(_ context.Context, r control.ImportRequest) (control.ImportResult, error) {
	l.got = append(l.got, r.Name+" "+r.Format)
	for _, f := range r.Files {
		b, err := os.ReadFile(f.Path)
		if err != nil {
			return control.ImportResult{}, err
		}
		l.got = append(l.got, f.Name+": "+string(b))
	}
	return l.res, l.fail
}

func (*loader) RemoveHistory(context.Context, string, string) error { return nil }

// upload is a form with fields and, after them, files: each "name: content".
func upload(t *testing.T, fields map[string]string, files ...string) (string, []byte) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for k, v := range fields {
		if err := w.WriteField(k, v); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range files {
		name, content, _ := strings.Cut(f, ": ")
		part, err := w.CreateFormFile("files", name)
		if err == nil {
			_, err = io.WriteString(part, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), b.Bytes()
}

// send posts an upload.
func (b browser) send(kind string, body io.Reader, headers ...string) answer {
	b.h.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, b.h.server.URL+"/imports", body)
	b.h.must(err)
	req.Header.Set("Content-Type", kind)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := b.client.Do(req)
	b.h.must(err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	b.h.must(err)
	return answer{res.StatusCode, res.Header, string(text)}
}

// TestImportFiles loads files from the page and shows what was loaded, to the last digit; a file that does not fit
// is named with its line, and nothing that was sent stays on the disk.
func TestImportFiles(t *testing.T) {
	h := newHouse(t, nil)
	h.people()
	b := h.signIn(outlay.RoleFinance)
	page := b.page("/imports")
	wants(t, page, `<form class="card form" method="post" action="/imports" enctype="multipart/form-data">`, "replace what it held", "Find out by the columns", `<option value="focus">FOCUS 1.0 to 1.4`, `<optgroup label="Nimbus">`, `<option value="nimbus/bill">Nimbus bill</option>`, `type="file" multiple required`, "outlay import FILE")
	if n := strings.Count(page, `value="nimbus/bill"`); n != 1 {
		t.Errorf("a format of two kinds of columns is offered %d times", n)
	}
	wants(t, b.page("/data-health"), `href="/imports"`)
	h.loader.res = control.ImportResult{SourceID: "src_x", Name: "old bills", Format: "nimbus/bill", Rows: 1234, Notes: []string{"2 charges had no ListCost; it counts as 0."}, Periods: []control.ImportPeriod{
		{Period: "2026-09", Rows: 1200, Sums: map[string]map[outlay.Measure]string{"USD": sums("-12.340000000000000001")["USD"], "EUR": sums("7")["USD"]}},
		{Period: "2026-10", Rows: 34, Sums: sums("0.0042")},
	}}
	kind, form := upload(t, map[string]string{"name": " old bills ", "format": "nimbus/bill"}, "a.csv: x,y\n1,2\n", "../../etc/b.csv.gz: zipped")
	a := b.send(kind, bytes.NewReader(form))
	if a.status != http.StatusCreated {
		t.Fatalf("%d\n%s", a.status, a.body)
	}
	if d := cmp.Diff([]string{"old bills nimbus/bill", "a.csv: x,y\n1,2\n", "b.csv.gz: zipped"}, h.loader.got); d != "" {
		t.Error(d)
	}
	wants(t, a.body, "old bills is imported", "Nimbus bill, 1,234 charges in 2 months.", "/costs?range=all&amp;f=source:src_x", "September 2026", "<td>1,200</td>", "EUR", "€7.00", "September 2026", "<td></td>", "USD", `data-exact="-12.340000000000000001"`, "−$12.34", "October 2026", "<td>34</td>", "$0.0042", "2 charges had no ListCost")
	h.loader.res.Already = true
	wants(t, b.send(kind, bytes.NewReader(form)).body, "old bills was imported before", "nothing changed")
	h.loader.fail = outlay.Errorf(outlay.CodeInvalid, "Mend the file, then import again.", "b.csv.gz, line 7, column BilledCost: %q is no number", "<b>").InField("files")
	a = b.send(kind, bytes.NewReader(form))
	if a.status != http.StatusUnprocessableEntity {
		t.Errorf("a bad file: %d", a.status)
	}
	wants(t, a.body, "b.csv.gz, line 7, column BilledCost", "&lt;b&gt;", "Mend the file", "Nothing was loaded", `value="old bills"`, `<option value="nimbus/bill" selected>`)
	lacks(t, a.body, "is imported")
	left, err := os.ReadDir(h.uploads)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// TestImportRefused: who may not is refused and written down before his files are read, a page of somebody else's
// cannot send any, and what is no form of files says so.
func TestImportRefused(t *testing.T) {
	h := newHouse(t, nil)
	h.people()
	kind, form := upload(t, nil, "a.csv: x")
	unread := &counted{Reader: bytes.NewReader(form)}
	r := httptest.NewRequest(http.MethodPost, "/imports", unread)
	r.Header.Set("Content-Type", kind)
	s := &site{Options: Options{Control: h.control, Auth: h.auth, Clock: fixedClock{}, Uploads: h.uploads}}
	err := s.importFiles(&call{w: httptest.NewRecorder(), r: r, actor: outlay.Actor{OrgID: h.org, UserID: "usr_member", Roles: []outlay.Role{outlay.RoleMember}}})
	if outlay.CodeOf(err) != outlay.CodeForbidden || unread.bytes != 0 {
		t.Errorf("%v, %d bytes were read", err, unread.bytes)
	}
	wants(t, h.signIn(outlay.RoleAuditor).page("/audit"), "costs:import", "forbidden")
	b := h.signIn(outlay.RoleFinance)
	if a := b.send(kind, bytes.NewReader(form), "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); a.status != http.StatusForbidden {
		t.Errorf("a cross-site form: %d", a.status)
	}
	for name, c := range map[string]struct {
		kind string
		body string
		want string
	}{
		"no form of files": {"application/x-www-form-urlencoded", "name=x", "There are no files in the form"},
		"cut short":        {kind, string(form[:len(form)-20]), "The files did not arrive whole"},
	} {
		a := b.send(c.kind, strings.NewReader(c.body))
		if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, c.want) {
			t.Errorf("%s: %d\n%s", name, a.status, a.body)
		}
	}
	empty, none := upload(t, map[string]string{"name": "x"})
	if a := b.send(empty, bytes.NewReader(none)); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "There is no file to import") {
		t.Errorf("no file at all: %d\n%s", a.status, a.body)
	}
	if len(h.loader.got) != 0 {
		t.Errorf("loaded: %v", h.loader.got)
	}
}

type counted struct {
	io.Reader
	bytes int
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.bytes += n
	return n, err
}

// TestUploadLimits: more bytes or more files than allowed are refused with a way out.
func TestUploadLimits(t *testing.T) {
	var many []string
	for i := range maxFiles + 1 {
		many = append(many, fmt.Sprintf("f%d.csv: x", i))
	}
	for name, c := range map[string]struct {
		files []string
		limit int64
		want  string
	}{
		"bytes": {[]string{"a.csv: " + strings.Repeat("x", 5000)}, 2000, "the files have more than 2.0 kB together"},
		"files": {many, 1 << 20, "these are more than 1000 files"},
	} {
		kind, form := upload(t, nil, c.files...)
		r := httptest.NewRequest(http.MethodPost, "/imports", nil)
		r.Header.Set("Content-Type", kind)
		r.Body = http.MaxBytesReader(httptest.NewRecorder(), io.NopCloser(bytes.NewReader(form)), c.limit)
		_, err := received(r, t.TempDir())
		if e := outlay.AsError(err); e.Code != outlay.CodeInvalid || e.Message != c.want || e.Fix == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	dir := filepath.Join(t.TempDir(), "gone")
	kind, form := upload(t, nil, "a.csv: x")
	r := httptest.NewRequest(http.MethodPost, "/imports", bytes.NewReader(form))
	r.Header.Set("Content-Type", kind)
	if _, err := received(r, dir); outlay.CodeOf(err) != outlay.CodeInternal {
		t.Errorf("a folder that is not there: %v", err)
	}
}
