package azure

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"outlay"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/costmanagement/armcostmanagement/v3"
	"github.com/google/go-cmp/cmp"
)

// importing makes the world's source one that reads an existing export.
func (w *world) importing(name string) outlay.Existing {
	w.t.Helper()
	e, ok := w.existing(nil)[name]
	if !ok || e.Why != "" {
		w.t.Fatalf("the export %s: %+v", name, e)
	}
	w.s = &outlay.Source{OrgID: "org_1", ID: "src_2", Provider: Name, AccountID: "acc_1", Origin: outlay.OriginImported, Desired: outlay.Present, Scope: e.Scope, Spec: &outlay.Spec{Fields: e.Fields}}
	return e
}

// TestOneFileARun reads exports without partitions, alone and as a pair: of a month's files the one of the last
// completed run, and the sums that it holds.
func TestOneFileARun(t *testing.T) {
	w := theirs(t)
	for _, name := range []string{"actual", "amortized"} {
		w.Unpartition(subScope + "/providers/Microsoft.CostManagement/exports/" + name)
	}
	w.deliverAt(day)
	w.deliverAt(day.Add(24 * time.Hour))
	for _, name := range []string{"actual", "actual and amortized"} {
		t.Run(name, func(t *testing.T) {
			e := w.importing(name)
			if !strings.Contains(e.Detail, "one file a run") {
				t.Errorf("%q does not say that it is one file a run", e.Detail)
			}
			all := w.deliveries()
			d := all[len(all)-1]
			if d.Format != e.Format || d.Period != "2026-11" || !d.Version.Equal(day.Add(24*time.Hour)) || d.Rows != -1 {
				t.Fatalf("delivery %+v", d)
			}
			for _, f := range d.Files {
				if !strings.HasSuffix(f.Key, ".csv.gz") || path.Base(path.Dir(f.Key)) != "20261101-20261130" {
					t.Errorf("file %+v", f)
				}
			}
			files, err := w.fetch(d)
			if err != nil {
				t.Fatal(err)
			}
			parsed := parse(t, d.Format, files...)
			for measure, want := range delivered(t, d.Format, files) {
				if got := parsed[0].Proof.Written["USD"][measure]; got != want {
					t.Errorf("%s is %s, delivered were %s", measure, got, want)
				}
			}
		})
	}
	w.SetRun(subScope+"/providers/Microsoft.CostManagement/exports/actual", "InProgress")
	w.importing("actual")
	if all := w.deliveries(); !all[len(all)-1].Version.Equal(day) {
		t.Errorf("a run under way counts: %+v", all)
	}
	w.RemoveExport(subScope + "/providers/Microsoft.CostManagement/exports/actual")
	if all := w.deliveries(); len(all) != 0 {
		t.Errorf("an export that is gone delivers: %+v", all)
	}
}

// TestManifestOfTheOlderAPI says neither export nor month: the history of the export does.
func TestManifestOfTheOlderAPI(t *testing.T) {
	w := theirs(t)
	w.deliverAt(day)
	w.importing("actual")
	before := w.deliveries()
	want := before[len(before)-1]
	old := want.Ref[refManifest]
	blobs := regexp.MustCompile(`(?s)"blobs".*`).FindString(string(w.Blob("theircosts", "bills", old)))
	w.RemoveBlob("theircosts", "bills", old)
	bare := `{"manifestVersion":"2021-01-01","dataFormat":"csv",` + strings.ReplaceAll(blobs, path.Dir(old)+"/", "")
	w.PlantBlob("theircosts", "bills", path.Dir(old)+"/_manifest.json", []byte(bare))
	after := w.deliveries()
	got := after[len(after)-1]
	if len(after) != len(before) || got.Ref[refManifest] == old {
		t.Fatalf("deliveries %+v", after)
	}
	if files, err := w.fetch(got); err != nil || int64(len(files)) != int64(len(want.Files)) {
		t.Errorf("fetched %v, %v", files, err)
	}
	got.Ref, got.Token, want.Ref, want.Token = nil, "", nil, ""
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the delivery differs (-want +got):\n%s", diff)
	}
	w.PlantBlob("theircosts", "bills", path.Dir(old)+"/_manifest.json", []byte(strings.Replace(bare, `"blobName": "`, `"blobName": "elsewhere/`, 1)))
	if _, err := w.listed(); outlay.CodeOf(err) != outlay.CodeInvalid {
		t.Errorf("a manifest that names a file elsewhere: %v", err)
	}
}

// TestRunsThatCount changes one thing of a run, or of its file, each.
func TestRunsThatCount(t *testing.T) {
	at, e := examplePlace()
	e.Single, e.Dataset = true, typeActual
	r := reader{at: at}
	const file = "root/daily/20261101-20261130/daily_r1.csv"
	began := time.Date(2026, 11, 21, 5, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name   string
		change func(p *armcostmanagement.ExportRunProperties, blobs map[string]blobState)
		counts bool
	}{
		{"as it is", func(*armcostmanagement.ExportRunProperties, map[string]blobState) {}, true},
		{"a slash before it", func(p *armcostmanagement.ExportRunProperties, _ map[string]blobState) { p.FileName = to("/" + file) }, true},
		{"settings that say nothing", func(p *armcostmanagement.ExportRunProperties, _ map[string]blobState) { p.RunSettings = nil }, true},
		{"month to date", func(p *armcostmanagement.ExportRunProperties, _ map[string]blobState) {
			p.EndDate = to(began.Truncate(24 * time.Hour))
		}, true},
		{"under way", func(p *armcostmanagement.ExportRunProperties, _ map[string]blobState) {
			p.Status = to(armcostmanagement.ExecutionStatusInProgress)
		}, false},
		{"failed", func(p *armcostmanagement.ExportRunProperties, _ map[string]blobState) {
			p.Status = to(armcostmanagement.ExecutionStatusFailed)
		}, false},
		{"of some days", func(p *armcostmanagement.ExportRunProperties, _ map[string]blobState) {
			p.StartDate = to(began.AddDate(0, 0, -5))
		}, false},
		{"of two months", func(p *armcostmanagement.ExportRunProperties, _ map[string]blobState) {
			p.EndDate = to(began.AddDate(0, 1, 0))
		}, false},
		{"no time of submission", func(p *armcostmanagement.ExportRunProperties, _ map[string]blobState) { p.SubmittedTime = nil }, false},
		{"no end", func(p *armcostmanagement.ExportRunProperties, _ map[string]blobState) { p.ProcessingEndTime = nil }, false},
		{"to another folder", func(p *armcostmanagement.ExportRunProperties, _ map[string]blobState) {
			p.RunSettings.DeliveryInfo.Destination.RootFolderPath = to("other")
		}, false},
		{"to another container", func(p *armcostmanagement.ExportRunProperties, _ map[string]blobState) {
			p.RunSettings.DeliveryInfo.Destination.Container = to("other")
		}, false},
		{"no charges", func(p *armcostmanagement.ExportRunProperties, _ map[string]blobState) {
			p.RunSettings.Definition.Type = to(armcostmanagement.ExportTypePriceSheet)
		}, false},
		{"no file named", func(p *armcostmanagement.ExportRunProperties, _ map[string]blobState) { p.FileName = nil }, false},
		{"a file of another export", func(p *armcostmanagement.ExportRunProperties, blobs map[string]blobState) {
			p.FileName = to("root/other/daily_r1.csv")
			blobs[*p.FileName] = blobs[file]
		}, false},
		{"the file is gone", func(_ *armcostmanagement.ExportRunProperties, blobs map[string]blobState) { delete(blobs, file) }, false},
		{"the file is empty", func(_ *armcostmanagement.ExportRunProperties, blobs map[string]blobState) {
			b := blobs[file]
			b.size = 0
			blobs[file] = b
		}, false},
		{"written again later", func(_ *armcostmanagement.ExportRunProperties, blobs map[string]blobState) {
			b := blobs[file]
			b.modified = began.Add(time.Hour)
			blobs[file] = b
		}, false},
		{"left by a run before", func(_ *armcostmanagement.ExportRunProperties, blobs map[string]blobState) {
			b := blobs[file]
			b.modified = began.Add(-time.Hour)
			blobs[file] = b
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &armcostmanagement.ExportRunProperties{
				Status: to(armcostmanagement.ExecutionStatusCompleted), SubmittedTime: to(began), ProcessingEndTime: to(began.Add(10 * time.Minute)), FileName: to(file),
				StartDate: to(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)), EndDate: to(time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)),
				RunSettings: &armcostmanagement.CommonExportProperties{
					Definition:   &armcostmanagement.ExportDefinition{Type: to(armcostmanagement.ExportTypeActualCost)},
					DeliveryInfo: &armcostmanagement.ExportDeliveryInfo{Destination: &armcostmanagement.ExportDeliveryDestination{ResourceID: &at.StorageID, Container: &at.Container, RootFolderPath: &e.Root}},
				},
			}
			f := found{blobs: map[string]blobState{file: {name: file, etag: `"1"`, size: 9, modified: began.Add(9 * time.Minute)}}}
			tt.change(p, f.blobs)
			run, ok := r.completed(e, &armcostmanagement.ExportRun{Name: to("r1"), Properties: p})
			var d outlay.Delivery
			var err error
			if ok {
				d, ok, err = r.deliveryOf(e, run, f)
			}
			if err != nil || ok != tt.counts {
				t.Errorf("it counts: %t, %v", ok, err)
			}
			if ok && (d.Period != "2026-11" || !d.Version.Equal(began) || d.Format != formatActual || !slices.Equal(d.Files, []outlay.DeliveryFile{{Key: file, ETag: `"1"`, Size: 9}})) {
				t.Errorf("delivery %+v", d)
			}
		})
	}
}

// TestFocusVersions says which versions of FOCUS are offered.
func TestFocusVersions(t *testing.T) {
	for version, early := range map[string]bool{"": false, "1.0": false, "1.0r2": false, "1.2-preview": false, "1.2": false, "1.0-preview(v1)": true} {
		to := armcostmanagement.ExportDeliveryDestination{}
		e := armcostmanagement.Export{Properties: &armcostmanagement.ExportProperties{DeliveryInfo: &armcostmanagement.ExportDeliveryInfo{Destination: &to}}}
		x := outlay.Existing{Format: formatFocus, Fields: map[string]string{importStorage: "s", importContainer: "c"}}
		why := refusal(e, outlay.Resource{Properties: map[string]string{propDataset: typeFocus, propVersion: version}}, x)
		if early != strings.Contains(why, "1.2-preview") || !early && why != "" {
			t.Errorf("%q: %q", version, why)
		}
	}
}

// TestTimeframes says which exports are by calendar month.
func TestTimeframes(t *testing.T) {
	got := map[armcostmanagement.TimeframeType]string{}
	for _, frame := range armcostmanagement.PossibleTimeframeTypeValues() {
		e := armcostmanagement.Export{Properties: &armcostmanagement.ExportProperties{Definition: &armcostmanagement.ExportDefinition{Timeframe: &frame}}}
		for name, scope := range map[string]string{"subscription ": "subscriptions/" + testSub, "enrolment ": "providers/Microsoft.Billing/billingAccounts/8608480"} {
			if !unevenTimeframe(e, scope) {
				got[frame] += name
			}
		}
	}
	for frame, scopes := range got {
		words := strings.Fields(scopes)
		slices.Sort(words)
		got[frame] = strings.Join(words, " ")
	}
	want := map[armcostmanagement.TimeframeType]string{
		armcostmanagement.TimeframeTypeMonthToDate: "enrolment subscription", armcostmanagement.TimeframeTypeTheLastMonth: "enrolment subscription",
		armcostmanagement.TimeframeTypeTheCurrentMonth: "enrolment subscription", armcostmanagement.TimeframeTypeBillingMonthToDate: "enrolment", armcostmanagement.TimeframeTypeTheLastBillingMonth: "enrolment",
	}
	if !maps.Equal(got, want) {
		t.Errorf("(-want +got):\n%s", cmp.Diff(want, got))
	}
}
