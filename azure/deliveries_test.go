package azure

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"outlay"
	cloud "outlay/simcloud/azure"

	"github.com/google/go-cmp/cmp"
)

// day is when the simulated cloud delivers: late enough in a month that the one before is closed.
var day = time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)

func (w *world) deliverAt(at time.Time) {
	w.t.Helper()
	if err := w.Deliver(context.Background(), at); err != nil {
		w.t.Fatal(err)
	}
}

// deliveries lists them all, and fails the test when that fails.
func (w *world) deliveries() []outlay.Delivery {
	w.t.Helper()
	out, err := w.listed()
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *world) listed() ([]outlay.Delivery, error) {
	var out []outlay.Delivery
	for d, err := range w.p.Deliveries(context.Background(), w.a, w.s) {
		if err != nil {
			return out, err
		}
		out = append(out, d)
	}
	return out, nil
}

func (w *world) fetch(d outlay.Delivery) ([]string, error) {
	return w.p.Fetch(context.Background(), w.a, w.s, d, w.t.TempDir())
}

// put replaces the data set of the source's form.
func (w *world) put(dataset string) *world {
	w.s.Spec.Fields[fieldDataset] = dataset
	return w
}

// TestDeliveredChargesBecomeFocus takes each kind of delivery all the way: fetched, mapped, and compared with what the
// files hold, summed by another way.
func TestDeliveredChargesBecomeFocus(t *testing.T) {
	for _, tt := range []struct {
		dataset, quota string
		o              cloud.Options
		format         string
	}{
		{datasetFocus, quotaEnterprise, cloud.Options{BlobsPerPage: 2}, formatFocus},
		{datasetPair, quotaEnterprise, cloud.Options{FolderStamp: true}, formatPair},
		{datasetUsage, quotaPayAsYouGo, cloud.Options{}, formatUsage},
	} {
		t.Run(tt.dataset, func(t *testing.T) {
			tt.o.RowsPerMonth = 300
			w := newWorld(t, tt.quota, tt.o).put(tt.dataset)
			w.up()
			w.deliverAt(day)
			var d outlay.Delivery
			for _, one := range w.deliveries() {
				if one.Period == "2026-11" {
					d = one
				}
			}
			if d.Format != tt.format || d.Rows < 100 || !d.Version.Equal(day) {
				t.Fatalf("delivery %+v", d)
			}
			files, err := w.fetch(d)
			if err != nil {
				t.Fatal(err)
			}
			parsed := parse(t, d.Format, files...)
			if len(parsed) != 1 || parsed[0].Period != d.Period || parsed[0].Proof.Rows != d.Rows || parsed[0].Proof.Rounded != 0 {
				t.Fatalf("parsed %+v", parsed)
			}
			for measure, want := range delivered(t, d.Format, files) {
				if got := parsed[0].Proof.Written["USD"][measure]; got != want {
					t.Errorf("%s is %s, delivered were %s", measure, got, want)
				}
			}
			for _, a := range parsed[0].SubAccounts {
				if a.ID != testSub {
					t.Errorf("a charge of %q, which is not the account %s", a.ID, testSub)
				}
			}
		})
	}
}

// delivered sums up what files hold, each cost as a decimal by its own text.
func delivered(t *testing.T, format string, files []string) map[outlay.Measure]string {
	t.Helper()
	sum := func(column string, files ...string) string {
		var list []string
		for _, f := range files {
			if strings.HasSuffix(f, ".parquet") {
				list = append(list, fmt.Sprintf("SELECT CAST(%s AS VARCHAR) AS c FROM read_parquet('%s')", column, f))
			} else {
				list = append(list, fmt.Sprintf("SELECT %s AS c FROM read_csv('%s', all_varchar=true, header=true)", column, f))
			}
		}
		var out string
		if err := engine(t).QueryRow("SELECT CAST(sum(CAST(c AS DECIMAL(38,18))) AS VARCHAR) FROM (" + strings.Join(list, " UNION ALL ") + ")").Scan(&out); err != nil {
			t.Fatal(err)
		}
		return outlay.MustAmount(out, "").String()
	}
	of := func(role string) []string {
		return slices.DeleteFunc(slices.Clone(files), func(f string) bool { return !strings.Contains(filepath.Base(f), role) })
	}
	switch format {
	case formatFocus:
		return map[outlay.Measure]string{outlay.Billed: sum("BilledCost", files...), outlay.Effective: sum("EffectiveCost", files...)}
	case formatPair:
		column := costColumn(t, files[0])
		return map[outlay.Measure]string{outlay.Billed: sum(column, of(roleActual)...), outlay.Effective: sum(column, of(roleAmortized)...)}
	}
	column := costColumn(t, files[0])
	return map[outlay.Measure]string{outlay.Billed: sum(column, files...), outlay.Effective: sum(column, files...)}
}

// costColumn is what the files of an older set call their cost.
func costColumn(t *testing.T, file string) string {
	t.Helper()
	rows, err := engine(t).Query(fmt.Sprintf("DESCRIBE SELECT * FROM read_csv('%s', all_varchar=true, header=true)", file))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	names := regexp.MustCompile(`(?i)^(cost|costInBillingCurrency|preTaxCost)$`)
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		if name := fmt.Sprint(*values[0].(*any)); names.MatchString(name) {
			return name
		}
	}
	t.Fatalf("%s has no cost: %v", file, rows.Err())
	return ""
}

// TestLaterRunWins delivers twice: the second run of a month is another version with another token; a manifest without
// data, one of some days and one of another export change nothing.
func TestLaterRunWins(t *testing.T) {
	w := newWorld(t, quotaEnterprise, cloud.Options{RowsPerMonth: 60, RestateEvery: -1})
	w.up()
	w.deliverAt(day)
	first := w.deliveries()
	if again := w.deliveries(); cmp.Diff(first, again) != "" {
		t.Errorf("a second look differs:\n%s", cmp.Diff(first, again))
	}
	n := w.calls("Blob_Get")
	w.deliveries()
	if n == 0 || w.calls("Blob_Get") != n {
		t.Errorf("manifests that are known were read again")
	}
	at, err := w.p.place(w.s)
	if err != nil {
		t.Fatal(err)
	}
	folder := at.Exports[0].prefix() + "20261101-20261130/"
	account := lastSegment(at.StorageID)
	body := string(w.Blob(account, at.Container, first[len(first)-1].Ref[refManifest]))
	later := regexp.MustCompile(`"submittedTime": *"[^"]*"`).ReplaceAllString(body, `"submittedTime": "2026-11-30T00:00:00Z"`)
	w.PlantBlob(account, at.Container, folder+"empty/manifest.json", []byte(regexp.MustCompile(`(?s)"blobs": *\[.*\]`).ReplaceAllString(later, `"blobs": []`)))
	w.PlantBlob(account, at.Container, folder+"foreign/manifest.json", []byte(strings.ReplaceAll(later, at.Exports[0].Name, "someone-else")))
	w.PlantBlob(account, at.Container, folder+"part/manifest.json", []byte(regexp.MustCompile(`"endDate": *"[^"]*"`).ReplaceAllString(later, `"endDate": "2026-11-10T00:00:00"`)))
	if diff := cmp.Diff(first, w.deliveries()); diff != "" {
		t.Errorf("manifests without data, of some days, or of another export, count:\n%s", diff)
	}
	w.deliverAt(day.Add(24 * time.Hour))
	second := w.deliveries()
	a, b := first[len(first)-1], second[len(second)-1]
	if a.Period != b.Period || a.Token == b.Token || !b.Version.After(a.Version) {
		t.Errorf("first %+v\nthen %+v", a, b)
	}
	if _, err := w.fetch(a); outlay.CodeOf(err) != outlay.CodeConflict {
		t.Errorf("fetching what was overwritten: %v", err)
	}
}

// TestPairIsNewWhenEitherHalfIs has the half that was submitted first arrive last: the pair is a later version.
func TestPairIsNewWhenEitherHalfIs(t *testing.T) {
	half := func(format string, submitted time.Time) map[outlay.Period]outlay.Delivery {
		return map[outlay.Period]outlay.Delivery{"2026-11": {Period: "2026-11", Format: format, Version: submitted, Rows: 1, Files: []outlay.DeliveryFile{{Key: format}}}}
	}
	yesterday := pairs(half(formatActual, day), half(formatAmortized, day.Add(-24*time.Hour)))["2026-11"]
	today := pairs(half(formatActual, day), half(formatAmortized, day.Add(-time.Minute)))["2026-11"]
	again := pairs(half(formatActual, day.Add(time.Second)), half(formatAmortized, day.Add(-time.Minute)))["2026-11"]
	if !today.Version.After(yesterday.Version) || !again.Version.After(today.Version) || again.Version.After(day) {
		t.Errorf("versions %s, %s, %s", yesterday.Version, today.Version, again.Version)
	}
	if len(pairs(half(formatActual, day), half(formatActual, day))) != 0 {
		t.Error("two actual halves make a pair")
	}
}

// TestPairIsWholeOrWaits takes one half away.
func TestPairIsWholeOrWaits(t *testing.T) {
	w := newWorld(t, quotaEnterprise, cloud.Options{RowsPerMonth: 60}).put(datasetPair)
	w.up()
	w.deliverAt(day)
	all := w.deliveries()
	d := all[len(all)-1]
	at, err := w.p.place(w.s)
	if err != nil {
		t.Fatal(err)
	}
	w.RemoveBlob(lastSegment(at.StorageID), at.Container, d.Ref[refManifest2])
	for _, left := range w.deliveries() {
		if left.Period == d.Period {
			t.Errorf("one half alone is delivered: %+v", left)
		}
	}
	if _, err := w.fetch(d); outlay.CodeOf(err) != outlay.CodeConflict {
		t.Errorf("fetching a pair whose half is gone: %v", err)
	}
}

// TestFetchRefusesWhatMoved changes something between the look and the read, or on the way.
func TestFetchRefusesWhatMoved(t *testing.T) {
	w := newWorld(t, quotaEnterprise, cloud.Options{RowsPerMonth: 60})
	w.up()
	at, err := w.p.place(w.s)
	if err != nil {
		t.Fatal(err)
	}
	account := lastSegment(at.StorageID)
	for i, tt := range []struct {
		name   string
		change func(d outlay.Delivery)
		code   outlay.Code
	}{
		{"nothing", func(outlay.Delivery) {}, ""},
		{"a file is gone", func(d outlay.Delivery) { w.RemoveBlob(account, at.Container, d.Files[0].Key) }, outlay.CodeConflict},
		{"a file was written anew", func(d outlay.Delivery) {
			w.PlantBlob(account, at.Container, d.Files[0].Key, w.Blob(account, at.Container, d.Files[0].Key))
		}, outlay.CodeConflict},
		{"the manifest was written anew", func(d outlay.Delivery) {
			w.PlantBlob(account, at.Container, d.Ref[refManifest], w.Blob(account, at.Container, d.Ref[refManifest]))
		}, outlay.CodeConflict},
		{"the manifest is gone", func(d outlay.Delivery) { w.RemoveBlob(account, at.Container, d.Ref[refManifest]) }, outlay.CodeConflict},
		{"another size than promised", func(d outlay.Delivery) { d.Files[0].Size++ }, outlay.CodeConflict},
		{"a file of another folder", func(d outlay.Delivery) { d.Files[0].Key = "secrets/key.csv" }, outlay.CodeInvalid},
		{"a manifest of another folder", func(d outlay.Delivery) { d.Ref[refManifest] = "secrets/manifest.json" }, outlay.CodeInvalid},
		{"cut short on the way", func(outlay.Delivery) { w.Fault(cloud.Fault{Match: "Blob_Get", Kind: cloud.Truncate, Times: -1}) }, outlay.CodeUnavailable},
		{"damaged on the way", func(outlay.Delivery) { w.Fault(cloud.Fault{Match: "Blob_Get", Kind: cloud.FlipByte, Times: -1}) }, outlay.CodeUnavailable},
		{"refused", func(outlay.Delivery) { w.Fault(cloud.Fault{Match: "Blob_Get", Kind: cloud.AccessDenied, Times: -1}) }, outlay.CodeForbidden},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.ClearFaults()
			w.deliverAt(day.Add(time.Duration(i) * time.Hour))
			all := w.deliveries()
			d := all[len(all)-1]
			tt.change(d)
			dir := t.TempDir()
			_, err := w.p.Fetch(context.Background(), w.a, w.s, d, dir)
			if got := outlay.CodeOf(err); err == nil && tt.code != "" || err != nil && got != tt.code {
				t.Errorf("got %v, want %q", err, tt.code)
			}
			entries, err := os.ReadDir(dir)
			if err != nil || tt.code == "" && len(entries) != len(d.Files) {
				t.Errorf("%d files, %v", len(entries), err)
			}
		})
	}
}

// TestBrokenManifestIsTold has one month's manifest broken: the other month is told, and then what is wrong.
func TestBrokenManifestIsTold(t *testing.T) {
	w := newWorld(t, quotaEnterprise, cloud.Options{RowsPerMonth: 60, RestateEvery: 1})
	w.up()
	w.deliverAt(day)
	w.deliverAt(day.Add(time.Hour))
	before := w.deliveries()
	at, err := w.p.place(w.s)
	if err != nil {
		t.Fatal(err)
	}
	w.PlantBlob(lastSegment(at.StorageID), at.Container, at.Exports[0].prefix()+"x/manifest.json", []byte(`{"blobs":[],"Blobs":[]}`))
	after, err := w.listed()
	if outlay.CodeOf(err) != outlay.CodeInvalid || !strings.Contains(err.Error(), "x/manifest.json") {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the other deliveries changed:\n%s", diff)
	}
}
