package web

import (
	"errors"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"outlay"
	"outlay/control"
)

// An upload may have at most so many bytes in all, and so many files.
const (
	maxUpload = 64 << 30
	maxFiles  = 1000
	maxText   = 4 << 10 // one field of the form that is no file
)

type importsBody struct {
	Name, Format string
	Groups       []formatGroup
	Known        []control.ImportFormat // every kind of file with its columns
	Done         *control.ImportResult
}

// formatGroup is what one provider's bills may be; Title "" is for files of any provider.
type formatGroup struct {
	Title    string
	Provider string
	Formats  []formatKind
}

// formatKind is a format to choose: its files may come with several kinds of columns.
type formatKind struct{ ID, Title string }

// FormatTitle is what the loaded files were; of several kinds that make one bill together, whose they are.
func (b importsBody) FormatTitle() string {
	provider, _, _ := strings.Cut(b.Done.Format, "/")
	for _, g := range b.Groups {
		for _, f := range g.Formats {
			if f.ID == b.Done.Format {
				return f.Title
			}
		}
		if g.Provider == provider {
			provider = g.Title
		}
	}
	return provider
}

// Focus tells whether they were FOCUS files: other bills have columns of their own, and that is as it should be.
func (b importsBody) Focus() bool { return b.Done.Format == control.FormatFocus }

// Charges counts what was loaded.
func (b importsBody) Charges() string { return plural(int(b.Done.Rows), "charge", "charges") }

// importLine is what one month holds in one currency.
type importLine struct {
	Month    string
	Rows     string // only in the month's first line: charges are counted once for all currencies
	Currency string
	Costs    []exactCost // in the order of outlay.Measures
}

type exactCost struct{ Text, Exact string }

// Lines are the totals of what was loaded.
func (b importsBody) Lines() []importLine {
	var out []importLine
	for _, p := range b.Done.Periods {
		rows := count(p.Rows)
		for _, currency := range slices.Sorted(maps.Keys(p.Sums)) {
			line := importLine{Month: month(p.Period), Rows: rows, Currency: currency}
			for _, m := range outlay.Measures() {
				cost := exactCost{Exact: p.Sums[currency][m]}
				if a, err := outlay.ParseAmount(cost.Exact, currency); err == nil {
					cost.Text = money(a)
				}
				line.Costs = append(line.Costs, cost)
			}
			out, rows = append(out, line), ""
		}
	}
	return out
}

// Measures are what the columns of Lines are called.
func (importsBody) Measures() []string {
	var out []string
	for _, m := range outlay.Measures() {
		out = append(out, control.MeasureTitle(m))
	}
	return out
}

// importsPage is the form that loads files no provider delivered.
func (s *site) importsPage(c *call) error {
	return s.showImports(c, importsBody{}, nil, http.StatusOK)
}

func (s *site) showImports(c *call, b importsBody, e *outlay.Error, status int) error {
	formats, err := s.Control.ImportFormats(c.r.Context(), c.actor)
	if err != nil {
		return err
	}
	b.Known, b.Groups = formats, s.groups(formats)
	return s.show(c, "imports", page{Title: "Import files", Active: "/data-health", Status: status, Error: e, Body: b})
}

// groups puts the formats under their providers, in the order in which they come, each once: what stands in brackets
// is which of its columns are meant.
func (s *site) groups(formats []control.ImportFormat) []formatGroup {
	titles := map[string]string{}
	for _, p := range s.Control.ProviderInfos() {
		titles[string(p.Name)] = p.Title
	}
	times := map[string]int{}
	for _, f := range formats {
		times[f.ID]++
	}
	var out []formatGroup
	for _, f := range formats {
		provider, _, _ := strings.Cut(f.ID, "/")
		if title := titles[provider]; len(out) == 0 || out[len(out)-1].Title != title {
			out = append(out, formatGroup{Title: title, Provider: provider})
		}
		kind := formatKind{f.ID, f.Title}
		if times[f.ID] > 1 {
			kind.Title, _, _ = strings.Cut(f.Title, " (")
		}
		if last := &out[len(out)-1]; !slices.Contains(last.Formats, kind) {
			last.Formats = append(last.Formats, kind)
		}
	}
	return out
}

// importFiles loads what was sent and answers with what came of it: there is no address that this could be read at
// again, and the same files once more change nothing. Who may not is refused before any byte of a file is read.
func (s *site) importFiles(c *call) error {
	if !c.actor.May(outlay.CostsImport) {
		c.w.Header().Set("Connection", "close") // or the server waits for the files before it answers
		_, err := s.Control.ImportFiles(c.r.Context(), c.actor, control.ImportRequest{})
		return err
	}
	dir, err := os.MkdirTemp(s.Uploads, "import-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	var res control.ImportResult
	c.r.Body = http.MaxBytesReader(c.w, c.r.Body, maxUpload)
	req, err := received(c.r, dir)
	if err == nil {
		res, err = s.Control.ImportFiles(c.r.Context(), c.actor, req)
	}
	b := importsBody{Name: req.Name, Format: req.Format}
	if err == nil {
		b.Done = &res
		return s.showImports(c, b, nil, http.StatusCreated)
	}
	e, status, err := formProblem(c, err)
	if err != nil {
		return err
	}
	return s.showImports(c, b, e, status)
}

// received writes the files of a form into dir, one after the other and never into memory, under names of our own.
func received(r *http.Request, dir string) (control.ImportRequest, error) {
	var req control.ImportRequest
	parts, err := r.MultipartReader()
	if err != nil {
		return req, outlay.Errorf(outlay.CodeInvalid, "Send the form of this page.", "there are no files in the form: %w", err)
	}
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			return req, nil
		}
		if err != nil {
			return req, cutShort(err)
		}
		if err := take(&req, part, dir); err != nil {
			return req, err
		}
	}
}

// take reads one part of the form. A file field that was left empty comes as a file without a name.
func take(req *control.ImportRequest, part *multipart.Part, dir string) error {
	name := part.FileName()
	if name == "" {
		text, err := io.ReadAll(io.LimitReader(part, maxText))
		if err != nil {
			return cutShort(err)
		}
		switch part.FormName() {
		case "name":
			req.Name = strings.TrimSpace(string(text))
		case "format":
			req.Format = string(text)
		}
		return nil
	}
	if len(req.Files) == maxFiles {
		return outlay.Errorf(outlay.CodeInvalid, "Import them in several turns, each under a name of its own.", "these are more than %d files", maxFiles).InField("files")
	}
	path := filepath.Join(dir, strconv.Itoa(len(req.Files)))
	req.Files = append(req.Files, control.ImportFile{Name: filepath.Base(name), Path: path})
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, part)
	if closed := out.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return cutShort(err)
	}
	return nil
}

// cutShort says why files did not arrive whole.
func cutShort(err error) error {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return outlay.Errorf(outlay.CodeInvalid, "Import them in several turns, each under a name of its own.", "the files have more than %s together", size(large.Limit)).InField("files")
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return outlay.Errorf(outlay.CodeUnavailable, "Free some disk space on the server, then import again.", "the server's disk is too full for these files: %w", err)
	case errors.As(err, new(*os.PathError)):
		return err
	}
	return outlay.Errorf(outlay.CodeInvalid, "Send them again.", "the files did not arrive whole: %w", err).InField("files")
}
