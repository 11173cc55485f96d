package api

import (
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"outlay"
	"outlay/auth"
	"outlay/control"
)

// costQuery is the view of the cost dashboard as in its URL.
type costQuery struct {
	Range    string   `query:"range" doc:"mtd (default), last-month, 7d, 30d, 90d, 365d, ytd, all or custom"`
	From     string   `query:"from" doc:"first day, 2026-11-01"`
	To       string   `query:"to" doc:"last day, inclusive"`
	Every    string   `query:"every" doc:"day, week or month"`
	Group    string   `query:"group" doc:"service (default), provider, account, scope, region, category, period, source, resource or tag:KEY"`
	Measure  string   `query:"measure" doc:"EffectiveCost (default), BilledCost, ListCost or ContractedCost"`
	Compare  string   `query:"compare" doc:"prev (default) or none"`
	Currency string   `query:"currency" doc:"of several, which one; they are never added together"`
	Filters  []string `query:"f,explode" doc:"service:Amazon S3, tag:User:ada, -region:us-east-1 (is not), tag:User: (no value)"`
}

func (q costQuery) request() (control.CostRequest, error) {
	v := url.Values{"f": q.Filters}
	for key, value := range map[string]string{"range": q.Range, "from": q.From, "to": q.To, "every": q.Every, "group": q.Group, "measure": q.Measure, "compare": q.Compare, "currency": q.Currency} {
		if value != "" {
			v.Set(key, value)
		}
	}
	return control.ParseCostRequest(v)
}

type valuesQuery struct {
	Dimension outlay.Dimension `query:"dimension" required:"true"`
	From      time.Time        `query:"from"`
	To        time.Time        `query:"to"`
}

// Upload is the form of an import: one or more files.
type upload struct {
	Name    string `query:"name" doc:"of the source; default: the first file's name"`
	Format  string `query:"format" doc:"an id of import-formats; default: found out by the columns"`
	RawBody multipart.Form
}

func (s *service) costs() {
	c := s.Control
	view := func(ctx context.Context, a outlay.Actor, in *costQuery) (control.CostView, error) {
		r, err := in.request()
		if err != nil {
			return control.CostView{}, err
		}
		return c.Costs(ctx, a, r)
	}
	add(s, route{http.MethodGet, "/costs", "get-costs", outlay.CostsRead, "Costs: the dashboard's figures", 0},
		func(ctx context.Context, a outlay.Actor, in *costQuery) (*body[control.CostView], error) {
			return ok(view(ctx, a, in))
		})
	add(s, route{http.MethodPost, "/costs:query", "query-costs", outlay.CostsRead, "Costs, with the view in the body", 0},
		func(ctx context.Context, a outlay.Actor, in *struct{ Body control.CostRequest }) (*body[control.CostView], error) {
			return ok(c.Costs(ctx, a, in.Body))
		})
	add(s, route{http.MethodGet, "/costs.csv", "get-costs-csv", outlay.CostsRead, "Costs as CSV, one row per bucket and group", 0},
		func(ctx context.Context, a outlay.Actor, in *costQuery) (*huma.StreamResponse, error) {
			v, err := view(ctx, a, in)
			if err != nil {
				return nil, err
			}
			return &huma.StreamResponse{Body: func(hc huma.Context) {
				hc.SetHeader("Content-Type", "text/csv; charset=utf-8")
				hc.SetHeader("Content-Disposition", `attachment; filename="costs.csv"`)
				if err := control.WriteCSV(hc.BodyWriter(), control.CostTable(v)); err != nil {
					s.Log.ErrorContext(hc.Context(), "writing CSV", "error", err)
				}
			}}, nil
		})
	add(s, route{http.MethodGet, "/costs/values", "list-cost-values", outlay.CostsRead, "Values of a dimension, largest cost first", 0},
		func(ctx context.Context, a outlay.Actor, in *valuesQuery) (*body[[]outlay.Value], error) {
			return ok(c.CostValues(ctx, a, in.Dimension, in.From, in.To))
		})
	add(s, route{http.MethodPost, "/imports", "import", outlay.CostsImport, "Load files that no provider delivered: FOCUS, or a provider's own bills (multipart, field files)", http.StatusCreated}, s.importFiles)
	add(s, route{http.MethodGet, "/import-formats", "list-import-formats", outlay.CostsImport, "What can be imported as files, known by its columns", 0},
		func(ctx context.Context, a outlay.Actor, _ *struct{}) (*body[[]control.ImportFormat], error) {
			return ok(c.ImportFormats(ctx, a))
		})
}

// maxUpload is the most bytes that an import may have in all.
const maxUpload = 64 << 30

// beforeUpload refuses who may not import before any byte of his files is on the disk, and bounds everybody's: huma
// stores a form's files first and asks for its limits never.
func (s *service) beforeUpload(hc huma.Context, next func(huma.Context)) {
	a := auth.ActorFrom(hc.Context())
	err := a.Must(outlay.CostsImport)
	if err == nil {
		r, w := humago.Unwrap(hc)
		r.Body = http.MaxBytesReader(w, r.Body, maxUpload)
		next(hc)
		return
	}
	if a.UserID != "" { // the verb writes the refusal down
		_, err = s.Control.ImportFiles(hc.Context(), a, control.ImportRequest{})
	}
	p := s.problem(hc.Context(), err)
	hc.SetHeader("Content-Type", p.ContentType(""))
	hc.SetHeader("Connection", "close") // or the server waits for the files before it answers
	hc.SetStatus(p.Status)
	_ = json.NewEncoder(hc.BodyWriter()).Encode(p) // fails only for somebody who went away
}

// importFiles puts the uploaded files where the loader can read them, under names of our own.
func (s *service) importFiles(ctx context.Context, a outlay.Actor, in *upload) (*body[control.ImportResult], error) {
	dir, err := os.MkdirTemp(s.Uploads, "import-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	req := control.ImportRequest{Name: in.Name, Format: in.Format}
	for i, h := range in.RawBody.File["files"] {
		path := filepath.Join(dir, strconv.Itoa(i))
		if err := save(h, path); err != nil {
			return nil, err
		}
		req.Files = append(req.Files, control.ImportFile{Name: filepath.Base(h.Filename), Path: path})
	}
	return ok(s.Control.ImportFiles(ctx, a, req))
}

func save(h *multipart.FileHeader, path string) error {
	in, err := h.Open()
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		_ = out.Close()
		return err
	}
	return out.Close()
}
