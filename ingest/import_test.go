package ingest_test

import (
	"compress/gzip"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"outlay"
	"outlay/duckdb"
	"outlay/ingest"
)

// importFiles imports files that lie in dir.
func (h *house) importFiles(t *testing.T, name string, paths ...string) (ingest.Import, error) {
	t.Helper()
	r := ingest.ImportRequest{OrgID: org, UserID: "usr_test", Name: name}
	for _, p := range paths {
		r.Files = append(r.Files, ingest.ImportFile{Name: filepath.Base(p), Path: p})
	}
	return h.ingest(nil).ImportFiles(t.Context(), r, duckdb.FocusMapping())
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestSample imports whole files and checks their figures to the last digit. The first is ours and always there; the
// published one (FOCUS Sample Data by the FinOps Foundation, CC BY 4.0) lies in the optional sibling ../shared. With
// OUTLAY_REQUIRE_SHARED=1 it may not be missing.
func TestSample(t *testing.T) {
	cases := map[string]map[string]string{
		filepath.Join("testdata", "focus-1.0-small.csv"): {
			"charges": "4", "BilledCost": "8.2400008", "EffectiveCost": "-2.25999999999", "ListCost": "9.7400008", "ContractedCost": "7.99",
			"provider Nimbus": "10.7400008", "provider Cirrus": "-2.5",
			"category Usage": "0.2400008", "category Purchase": "10.5", "category Credit": "-2.5", "period 2024-09": "8.0000008", "period 2024-10": "0.24",
		},
	}
	published := filepath.Join("..", "..", "shared", "data", "focus-1.0-sample.csv")
	if _, err := os.Stat(published); err == nil {
		cases[published] = publishedFigures()
	} else if os.Getenv("OUTLAY_REQUIRE_SHARED") == "1" {
		t.Errorf("the published sample is required: %v", err)
	}
	for path, want := range cases {
		t.Run(filepath.Base(path), func(t *testing.T) {
			h := newHouse(t, "", newClock())
			res, err := h.importFiles(t, "", path)
			if err != nil {
				t.Fatal(err)
			}
			got := figures(t, newEngine(t), h.heads(t))
			for k, v := range want {
				if got[k] != v {
					t.Errorf("%s is %s, want %s", k, got[k], v)
				}
			}
			if fmt.Sprint(res.Rows) != want["charges"] || res.Name != filepath.Base(path) {
				t.Errorf("the result says %+v", res)
			}
			if d := cmp.Diff([]string{"Id"}, res.Unknown); d != "" {
				t.Errorf("unknown columns: %s", d)
			}
		})
	}
}

// publishedFigures are what the publisher's file adds up to, computed apart from this program.
func publishedFigures() map[string]string {
	return map[string]string{
		"charges": "1000", "BilledCost": "20.52022672899", "EffectiveCost": "14.97651418586", "ListCost": "20.39090575119", "ContractedCost": "14.97626039326",
		"category Usage": "22.86192672899", "category Adjustment": "0.272", "category Credit": "-2.6137", "period 2024-10": "0.24",
	}
}

// figures sums the files of heads by the four measures, and BilledCost by provider, category and month.
func figures(t *testing.T, engine *sql.DB, heads []outlay.Head) map[string]string {
	t.Helper()
	var list []string
	for _, h := range heads {
		for _, f := range h.Files {
			list = append(list, "'"+f.Path+"'")
		}
	}
	from := " FROM read_parquet([" + strings.Join(list, ",") + "])"
	query := "SELECT 'charges', count(*)::VARCHAR" + from
	for _, m := range outlay.Measures() {
		query += fmt.Sprintf(" UNION ALL SELECT '%s', sum(%q)::VARCHAR%s", m, m, from)
	}
	for label, column := range map[string]string{"provider": "ProviderName", "category": "ChargeCategory", "period": "x_Period"} {
		query += fmt.Sprintf(" UNION ALL SELECT '%s ' || %q, sum(BilledCost)::VARCHAR%s GROUP BY ALL", label, column, from)
	}
	rows, err := engine.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	out := map[string]string{}
	for rows.Next() {
		var k, v string
		if err := rows.Scan(&k, &v); err != nil {
			t.Fatal(err)
		}
		out[k] = outlay.MustAmount(v, "").String()
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestImport(t *testing.T) {
	cases := map[string]func(*testing.T, *house){
		"the same content again changes nothing":   importTwice,
		"the same name replaces whole months":      importReplaces,
		"several files are one source":             importSeveral,
		"a bad file rejects the whole import":      importBad,
		"after its history was removed":            importAfterRemoval,
		"two imports of one name at once":          importRace,
		"beside a source that a provider delivers": importBeside,
	}
	for db, url := range stores() {
		for name, run := range cases {
			t.Run(db+"/"+name, func(t *testing.T) {
				c := newClock()
				h := newHouse(t, url(t), c)
				run(t, h)
				h.quiet(t, c)
			})
		}
	}
}

// months is what a dashboard shows of an import, by month.
func months(res ingest.Import, pairs ...string) map[string]string {
	out := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		out[res.SourceID+" "+pairs[i]] = pairs[i+1]
	}
	return out
}

func importTwice(t *testing.T, h *house) {
	content := bill("2026-09", 2, "1") + strings.TrimPrefix(bill(month, 3, "1"), billHeader+"\n")
	first, err := h.importFiles(t, "june", write(t, "a.csv", content))
	if err != nil || first.Already || first.Rows != 5 || len(first.Periods) != 2 {
		t.Fatalf("%+v %v", first, err)
	}
	version := h.heads(t)[0].Version
	again, err := h.importFiles(t, "june", write(t, "renamed.csv", content))
	if err != nil || !again.Already || again.SourceID != first.SourceID || again.Rows != 5 {
		t.Errorf("the same content: %+v %v", again, err)
	}
	if now := h.heads(t)[0].Version; now != version {
		t.Error("the same content was published twice")
	}
	h.shows(t, months(first, "2026-09", "2 rows 2", "2026-10", "3 rows 3"))
}

func importReplaces(t *testing.T, h *house) {
	first, err := h.importFiles(t, "bill", write(t, "a.csv", bill("2026-09", 2, "1")+strings.TrimPrefix(bill(month, 3, "1"), billHeader+"\n")))
	if err != nil {
		t.Fatal(err)
	}
	second, err := h.importFiles(t, "bill", write(t, "b.csv", bill(month, 4, "2"))) // the clock stands still: order holds
	if err != nil || second.SourceID != first.SourceID {
		t.Fatalf("%+v %v", second, err)
	}
	h.shows(t, months(first, "2026-10", "4 rows 8"))
	if head := h.heads(t)[0]; head.Previous == nil || head.Previous.Rows != 3 {
		t.Errorf("the version before was %+v", head.Previous)
	}
	third, err := h.importFiles(t, "bill", write(t, "a.csv", bill("2026-09", 2, "1")+strings.TrimPrefix(bill(month, 3, "1"), billHeader+"\n")))
	if err != nil || third.Already {
		t.Fatalf("what was there before: %+v %v", third, err)
	}
	h.shows(t, months(first, "2026-09", "2 rows 2", "2026-10", "3 rows 3"))
}

func importSeveral(t *testing.T, h *house) {
	packed := filepath.Join(t.TempDir(), "b.csv.gz")
	f, err := os.Create(packed)
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(f)
	if _, err := z.Write([]byte(bill(month, 3, "0.5"))); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	one := write(t, "a*[1].csv", bill(month, 2, "1")) // a name that engines would read as a pattern
	res, err := h.importFiles(t, "", one, packed)
	if err != nil || res.Name != "a*[1].csv" {
		t.Fatalf("%+v %v", res, err)
	}
	h.shows(t, months(res, "2026-10", "5 rows 3.5"))
	if _, err := h.importFiles(t, "twice", one, one); outlay.CodeOf(err) != outlay.CodeInvalid {
		t.Errorf("the same file twice in one import: %v", err)
	}
	if again, err := h.importFiles(t, "a*[1].csv", packed, one); err != nil || !again.Already {
		t.Errorf("the same files in another order: %+v %v", again, err)
	}
}

func importBad(t *testing.T, h *house) {
	good, err := h.importFiles(t, "bill", write(t, "good.csv", bill(month, 3, "1")))
	if err != nil {
		t.Fatal(err)
	}
	bads := map[string]struct {
		content string
		want    []string
	}{
		"cost.csv":   {strings.Replace(bill(month, 3, "2"), "\n2,2,", "\n2,two,", 1), []string{"cost.csv", "2", "EffectiveCost"}},
		"column.csv": {strings.Replace(bill(month, 3, "2"), "EffectiveCost", "Effective", 1), []string{"column.csv", "EffectiveCost"}},
		"cut.csv":    {bill(month, 3, "2")[:600], []string{"cut.csv"}},
		"empty.csv":  {billHeader + "\n", []string{"no charges"}},
		"none.csv":   {"", []string{"none.csv"}},
		"text.txt":   {"hello\nworld\n", []string{"text.txt"}},
		"parquet":    {"PAR1\x00\x00garbagePAR1", []string{"parquet"}},
	}
	for name, bad := range bads {
		paths := []string{write(t, name, bad.content)}
		if name != "empty.csv" { // beside others a file without rows is no fault
			paths = append(paths, write(t, "fine.csv", bill(month, 1, "9")))
		}
		_, err := h.importFiles(t, "bill", paths...)
		if outlay.CodeOf(err) != outlay.CodeInvalid {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, w := range bad.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: the error lacks %q: %v", name, w, err)
			}
		}
	}
	if _, err := h.importFiles(t, "bill", filepath.Join(t.TempDir(), "absent.csv")); outlay.CodeOf(err) != outlay.CodeInvalid || !strings.Contains(err.Error(), "absent.csv") {
		t.Errorf("an absent file: %v", err)
	}
	if _, err := h.importFiles(t, "bill"); outlay.CodeOf(err) != outlay.CodeInvalid {
		t.Errorf("no file: %v", err)
	}
	h.shows(t, months(good, "2026-10", "3 rows 3"))
}

func importAfterRemoval(t *testing.T, h *house) {
	path := write(t, "a.csv", bill(month, 3, "1"))
	first, err := h.importFiles(t, "bill", path)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.ingest(nil).RemoveHistory(t.Context(), org, first.SourceID); err != nil {
		t.Fatal(err)
	}
	h.shows(t, map[string]string{})
	again, err := h.importFiles(t, "bill", path)
	if err != nil || again.Already || again.SourceID != first.SourceID {
		t.Fatalf("%+v %v", again, err)
	}
	h.shows(t, months(first, "2026-10", "3 rows 3"))
}

// importRace: one of them is whole; the other says that it lost, or came after.
func importRace(t *testing.T, h *house) {
	first, err := h.importFiles(t, "bill", write(t, "a.csv", bill(month, 1, "1")))
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	won := make(chan int, 4)
	for n := range 4 {
		path := write(t, "b.csv", bill(outlay.Period(fmt.Sprintf("2026-%02d", n+1)), n+2, "1")+strings.TrimPrefix(bill("2026-08", n+2, "1"), billHeader+"\n"))
		group.Go(func() {
			_, err := h.ingest(nil).ImportFiles(context.Background(), ingest.ImportRequest{OrgID: org, Name: "bill", Files: []ingest.ImportFile{{Name: "b.csv", Path: path}}}, duckdb.FocusMapping())
			switch {
			case err == nil:
				won <- n
			case outlay.CodeOf(err) != outlay.CodeConflict:
				t.Error(err)
			}
		})
	}
	group.Wait()
	close(won)
	possible := []string{}
	for n := range won {
		possible = append(possible, fmt.Sprint(months(first, fmt.Sprintf("2026-%02d", n+1), fmt.Sprintf("%d rows %d", n+2, n+2), "2026-08", fmt.Sprintf("%d rows %d", n+2, n+2))))
	}
	got, err := shown(t.Context(), h.store, newEngine(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(possible) == 0 || !strings.Contains(strings.Join(possible, "|"), fmt.Sprint(got)) {
		t.Errorf("shown: %v, possible: %v", got, possible)
	}
	h.shows(t, got)
}

func importBeside(t *testing.T, h *house) {
	h.found(t, h.delivery(t, 1, bill(month, 2, "1")))
	h.drain(t)
	res, err := h.importFiles(t, "bill", write(t, "a.csv", bill(month, 3, "1")))
	if err != nil {
		t.Fatal(err)
	}
	want := months(res, "2026-10", "3 rows 3")
	want[source+" 2026-10"] = "2 rows 2"
	h.shows(t, want)
}
