package ingest_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"outlay"
	"outlay/duckdb"
	"outlay/ingest"
)

// lying is a parser whose answer, or whose files, are spoiled before anybody sees them.
type lying struct {
	outlay.Parser
	spoil func(p []outlay.ParsedPeriod) []outlay.ParsedPeriod
}

func (l lying) Parse(ctx context.Context, job outlay.ParseJob) ([]outlay.ParsedPeriod, error) {
	p, err := l.Parser.Parse(ctx, job)
	if err != nil {
		return nil, err
	}
	return l.spoil(p), nil
}

// TestProof spoils what the parser returns in every way that a fault of it could. Nothing of it may be published.
func TestProof(t *testing.T) {
	type periods = []outlay.ParsedPeriod
	cases := map[string]func(p periods) periods{
		"a sum differs in the last digit": func(p periods) periods { p[0].Proof.Written["USD"][outlay.List] = "3.000000000000000001"; return p },
		"a row is lost in writing":        func(p periods) periods { p[0].Files[0].Rows--; return p },
		"a row is lost in both counts":    func(p periods) periods { p[0].Files[0].Rows--; p[0].Proof.Rows--; return p },
		"a currency is lost":              func(p periods) periods { delete(p[0].Proof.Written, "USD"); return p },
		"another month":                   func(p periods) periods { p[0].Period = "2026-09"; return p },
		"two months":                      func(p periods) periods { return append(p, p[0]) },
		"a file twice":                    func(p periods) periods { p[0].Files = append(p[0].Files, p[0].Files[0]); return p },
		"a file of elsewhere":             func(p periods) periods { p[0].Files[0].Path = "/etc/passwd"; return p },
		"a file is cut after it was written": func(p periods) periods {
			_ = os.Truncate(p[0].Files[0].Path, p[0].Files[0].Bytes-1)
			return p
		},
		"a file is gone":   func(p periods) periods { _ = os.Remove(p[0].Files[0].Path); return p },
		"a rollup is gone": func(p periods) periods { _ = os.Remove(p[0].Rollups[1]); return p },
	}
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, "", newClock())
			h.found(t, h.delivery(t, 1, bill(month, 2, "4")))
			h.drain(t)
			u := h.found(t, h.delivery(t, 2, bill(month, 3, "1")))
			o := h.options(nil)
			o.Parser = lying{o.Parser, spoil}
			if _, err := h.worker(ingest.New(o)).Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := h.unit(t, u.ID); got.State != outlay.UnitWaiting || got.Problem == nil {
				t.Errorf("it is %s with %+v", got.State, got.Problem)
			}
			h.shows(t, only("2 rows 8"))
			r := ingest.ImportRequest{OrgID: org, Name: "x", Files: []ingest.ImportFile{{Name: "x.csv", Path: write(t, "x.csv", bill(month, 3, "1"))}}}
			if name == "another month" || name == "two months" { // an import takes any month
				return
			}
			if _, err := ingest.New(o).ImportFiles(t.Context(), r, duckdb.FocusMapping()); err == nil {
				t.Error("an import of it succeeded")
			}
			h.shows(t, only("2 rows 8"))
		})
	}
}

// careless is a lake that deletes the files of the version before as soon as the next is committed.
type careless struct{ ingest.Lake }

func (c careless) Replace(ctx context.Context, p outlay.Partition, generation string, files []outlay.DataFile) (int64, error) {
	old, err := c.Files(ctx, 0, p)
	if err != nil {
		return 0, err
	}
	snapshot, err := c.Lake.Replace(ctx, p, generation, files)
	for _, f := range old {
		if !strings.Contains(f.Path, generation) {
			_ = os.RemoveAll(filepath.Dir(f.Path))
		}
	}
	return snapshot, err
}

// TestReaderBites plants a defect, to prove that the reader of the sweep would see it.
func TestReaderBites(t *testing.T) {
	h := newHouse(t, "", newClock())
	h.found(t, h.delivery(t, 1, bill(month, 2, "4")))
	h.drain(t)
	h.found(t, h.delivery(t, 2, bill(month, 3, "1")))
	engine, bitten := newEngine(t), false
	o := h.options(func(point string) {
		if point == "ingest.committed" {
			_, err := shown(t.Context(), h.store, engine)
			bitten = err != nil
		}
	})
	o.Lake = careless{o.Lake}
	if _, err := h.worker(ingest.New(o)).Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !bitten {
		t.Error("a reader does not see that the published files are gone")
	}
}
