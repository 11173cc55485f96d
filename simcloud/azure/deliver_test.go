package azure_test

import (
	"bytes"
	"compress/gzip"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/costmanagement/armcostmanagement/v3"

	"outlay/simcloud/bill"

	simazure "outlay/simcloud/azure"
)

// clock is the cloud's, moved by hand.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

// delivering is a ready world on 20 November 2026 with one export of the subscription.
func delivering(t *testing.T, o simazure.Options, change func(*armcostmanagement.Export)) (*world, *clock, string) {
	t.Helper()
	c := &clock{time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)}
	o.Now, o.RowsPerMonth = c.Now, 300
	w := ready(t, o)
	body := exportBody(accountID("billing", "outlayacc1"))
	if change != nil {
		change(&body)
	}
	if _, err := w.exports().CreateOrUpdate(t.Context(), scope, "focus-1", body, nil); err != nil {
		t.Fatal(err)
	}
	return w, c, scope + "/providers/Microsoft.CostManagement/exports/focus-1"
}

func (w *world) deliver(c *clock) {
	w.t.Helper()
	if err := w.Deliver(w.t.Context(), c.now); err != nil {
		w.t.Fatal(err)
	}
}

type seenManifest struct {
	BlobCount, DataRowCount int64
	ExportConfig            struct{ ResourceID, Type string }
	RunInfo                 struct{ SubmittedTime, RunID, StartDate, EndDate string }
	Blobs                   []struct {
		BlobName                string
		ByteCount, DataRowCount int64
	}
}

// manifests reads every manifest, oldest first.
func (w *world) manifests() []seenManifest {
	w.t.Helper()
	var out []seenManifest
	for name := range w.Only("container")[0].Blobs {
		if !strings.HasSuffix(name, "manifest.json") {
			continue
		}
		var m seenManifest
		if err := json.Unmarshal(w.Blob("outlayacc1", "exports", name), &m); err != nil {
			w.t.Fatal(err)
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b seenManifest) int {
		return strings.Compare(a.RunInfo.SubmittedTime+a.RunInfo.StartDate, b.RunInfo.SubmittedTime+b.RunInfo.StartDate)
	})
	return out
}

// rows reads the data files of a manifest with DuckDB and counts what a query counts.
func (w *world) rows(m seenManifest, reader, query string) string {
	w.t.Helper()
	dir, err := os.MkdirTemp(w.t.TempDir(), "parts")
	if err != nil {
		w.t.Fatal(err)
	}
	var total int64
	for i, b := range m.Blobs {
		data := w.Blob("outlayacc1", "exports", b.BlobName)
		if int64(len(data)) != b.ByteCount {
			w.t.Errorf("%s has %d bytes, the manifest says %d", b.BlobName, len(data), b.ByteCount)
		}
		total += b.DataRowCount
		name := filepath.Join(dir, fmt.Sprintf("%d-%s", i, filepath.Base(b.BlobName)))
		if err := os.WriteFile(name, data, 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
	if total != m.DataRowCount || int64(len(m.Blobs)) != m.BlobCount {
		w.t.Errorf("counts of the manifest disagree: %+v", m)
	}
	db, err := bill.Open()
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var out sql.NullString
	if err := db.QueryRowContext(w.t.Context(), fmt.Sprintf("SELECT (%s)::VARCHAR FROM %s('%s/*')", query, reader, dir)).Scan(&out); err != nil {
		w.t.Fatal(err)
	}
	return out.String
}

func TestDelivery(t *testing.T) {
	w, c, id := delivering(t, simazure.Options{RestateEvery: -1}, nil)
	w.deliver(c)
	first := w.manifests()
	if len(first) != 1 || first[0].RunInfo.StartDate != "2026-11-01T00:00:00" || first[0].RunInfo.EndDate != "2026-11-30T00:00:00" || first[0].ExportConfig.ResourceID != id {
		t.Fatalf("manifests: %+v", first)
	}
	if got := w.rows(first[0], "read_parquet", "count(*)"); got != fmt.Sprint(first[0].DataRowCount) {
		t.Errorf("%s rows, the manifest says %d", got, first[0].DataRowCount)
	}
	if got := w.rows(first[0], "read_parquet", "max(ChargePeriodEnd)"); got != "2026-11-19 00:00:00" {
		t.Errorf("data reach to %s", got)
	}
	c.now = c.now.Add(24 * time.Hour)
	w.deliver(c)
	second := w.manifests()
	if len(second) != 1 || second[0].RunInfo.RunID == first[0].RunInfo.RunID {
		t.Fatalf("the run before was not overwritten: %+v", second)
	}
	c.now = time.Date(2026, 12, 3, 9, 0, 0, 0, time.UTC) // within the first five days: both months
	w.deliver(c)
	both := w.manifests()
	if len(both) != 2 || both[0].RunInfo.StartDate != "2026-11-01T00:00:00" || both[1].RunInfo.StartDate != "2026-12-01T00:00:00" {
		t.Fatalf("manifests: %+v", both)
	}
	if got := w.rows(both[0], "read_parquet", "max(ChargePeriodEnd)"); got != "2026-12-01 00:00:00" {
		t.Errorf("November reaches to %s", got)
	}
	c.now = c.now.Add(8 * 24 * time.Hour)
	w.deliver(c)
	if later := w.manifests(); later[0].RunInfo.RunID != both[0].RunInfo.RunID || later[1].RunInfo.RunID == both[1].RunInfo.RunID {
		t.Errorf("after day 5 the month before was run again: %+v", later)
	}
	history, err := w.exports().GetExecutionHistory(t.Context(), scope, "focus-1", nil)
	if err != nil || len(history.Value) != 5 || *history.Value[0].Properties.Status != armcostmanagement.ExecutionStatusCompleted {
		t.Errorf("history: %+v, %v", history, err)
	}
	if !history.Value[0].Properties.SubmittedTime.After(*history.Value[4].Properties.SubmittedTime) {
		t.Error("the newest run does not come first")
	}
}

func TestBackfill(t *testing.T) {
	w, c, _ := delivering(t, simazure.Options{HistoryMonths: 3, EmptyManifest: true, RunsPerMinute: 4, ProgressWord: "DataReady", FolderStamp: true}, nil)
	run := func(from, to string) error {
		p := armcostmanagement.ExportTimePeriod{From: new(time.Time), To: new(time.Time)}
		*p.From, _ = time.Parse(time.DateOnly, from)
		*p.To, _ = time.Parse(time.DateOnly, to)
		_, err := w.exports().Execute(t.Context(), scope, "focus-1", &armcostmanagement.ExportsClientExecuteOptions{Parameters: &armcostmanagement.ExportRunRequest{TimePeriod: &p}})
		return err
	}
	for _, x := range [][2]string{{"2026-10-15", "2026-11-15"}, {"2026-12-01", "2026-12-31"}, {"2015-01-01", "2015-01-31"}, {"2026-10-10", "2026-10-01"}} {
		if err := run(x[0], x[1]); !sdkRefuses(err, 400) {
			t.Errorf("%v: %v", x, err)
		}
	}
	for _, x := range [][2]string{{"2026-10-01", "2026-10-31"}, {"2026-09-01", "2026-09-30"}, {"2026-05-01", "2026-05-31"}} {
		if err := run(x[0], x[1]); err != nil {
			t.Error(err)
		}
	}
	if _, err := w.exports().Execute(t.Context(), scope, "focus-1", nil); err != nil {
		t.Error(err)
	}
	err := run("2026-08-01", "2026-08-31")
	if !sdkRefuses(err, 429) || !strings.Contains(fmt.Sprint(err), "Too many requests") {
		t.Errorf("the fifth run of a minute: %v", err)
	}
	if err := w.Run(t.Context(), c.now); err != nil {
		t.Fatal(err)
	}
	history, err := w.exports().GetExecutionHistory(t.Context(), scope, "focus-1", nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range history.Value {
		got = append(got, r.Properties.StartDate.Format("2006-01")+" "+string(*r.Properties.Status))
	}
	if want := "2026-11 Completed, 2026-05 DataNotAvailable, 2026-09 Completed, 2026-10 Completed"; strings.Join(got, ", ") != want {
		t.Errorf("history %v, want %s", got, want)
	}
	empty := 0
	for _, m := range w.manifests() {
		if m.BlobCount == 0 && m.Blobs == nil {
			empty++
		}
	}
	if empty != 1 || len(w.manifests()) != 4 {
		t.Errorf("%d manifests, %d of them empty", len(w.manifests()), empty)
	}
}

func TestTornOverwrite(t *testing.T) {
	w, c, _ := delivering(t, simazure.Options{ProgressWord: "DataReady"}, nil)
	w.deliver(c)
	before := w.manifests()[0]
	w.TearNext()
	w.deliver(c)
	if left := w.manifests(); len(left) != 0 {
		t.Errorf("manifests in the middle of an overwrite: %+v", left)
	}
	if w.Blob("outlayacc1", "exports", before.Blobs[0].BlobName) != nil {
		t.Error("the old data file is still there")
	}
	got, err := w.exports().Get(t.Context(), scope, "focus-1", &armcostmanagement.ExportsClientGetOptions{Expand: to.Ptr("runHistory")})
	if err != nil || *got.Properties.RunHistory.Value[0].Properties.Status != "DataReady" {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := w.Run(t.Context(), c.now); err != nil {
		t.Fatal(err)
	}
	if left := w.manifests(); len(left) != 1 || left[0].RunInfo.RunID == before.RunInfo.RunID {
		t.Errorf("manifests afterwards: %+v", left)
	}
}

// What cannot be written fails with a reason, and heals.
func TestDeliveryFails(t *testing.T) {
	identity := &armcostmanagement.SystemAssignedServiceIdentity{Type: to.Ptr(armcostmanagement.SystemAssignedServiceIdentityTypeSystemAssigned)}
	w, c, id := delivering(t, simazure.Options{}, func(e *armcostmanagement.Export) { e.Identity, e.Location = identity, to.Ptr("global") })
	status := func() string {
		t.Helper()
		w.deliver(c)
		got, err := w.exports().GetExecutionHistory(t.Context(), scope, "focus-1", nil)
		if err != nil {
			t.Fatal(err)
		}
		p := got.Value[0].Properties
		if p.Error != nil {
			return string(*p.Status) + " " + *p.Error.Code
		}
		return string(*p.Status)
	}
	for _, x := range []struct {
		name, property string
		value          any
		want           string
	}{
		{"at first", "", nil, "Completed"}, {"keys off", "allowSharedKeyAccess", false, "Completed"}, {"network", "publicNetworkAccess", "Disabled", "Failed AuthorizationFailure"},
		{"network on", "publicNetworkAccess", "Enabled", "Completed"}, {"copies", "allowedCopyScope", "AAD", "Failed CopyScopeNotAllowed"}, {"copies on", "allowedCopyScope", "", "Completed"},
	} {
		if x.property != "" {
			w.SetAccount("outlayacc1", x.property, x.value)
		}
		if got := status(); got != x.want {
			t.Errorf("%s: %s, want %s", x.name, got, x.want)
		}
	}
	role := w.Only("role-assignment")[0]
	if _, err := w.roles().Delete(t.Context(), accountID("billing", "outlayacc1"), filepath.Base(role.ID), nil); err != nil {
		t.Fatal(err)
	}
	if got := status(); got != "Failed AuthorizationPermissionMismatch" {
		t.Errorf("without the role: %s", got)
	}
	w.RemoveAccount("outlayacc1")
	if got := status(); got != "Failed StorageAccountNotFound" {
		t.Errorf("without the account: %s", got)
	}
	w.Suspend(id, "PayloadFailures")
	if got, err := w.exports().Get(t.Context(), scope, "focus-1", nil); err != nil || *got.Properties.SystemSuspensionContext.SuspensionCode != "PayloadFailures" {
		t.Errorf("got %+v, %v", got, err)
	}
}

// A foreign export of older costs in compressed CSV is delivered too, with the head of its agreement.
func TestForeignCSV(t *testing.T) {
	c := &clock{time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)}
	w := ready(t, simazure.Options{Now: c.Now, RowsPerMonth: 300})
	id := w.PlantExport(scope, "legacy", "ActualCost", "Csv", "outlayacc1", "exports")
	w.deliver(c)
	m := w.manifests()
	if len(m) != 1 || m[0].ExportConfig.ResourceID != id || !strings.HasSuffix(m[0].Blobs[0].BlobName, "part_0_0001.csv.gz") {
		t.Fatalf("manifests: %+v", m)
	}
	zr, err := gzip.NewReader(bytes.NewReader(w.Blob("outlayacc1", "exports", m[0].Blobs[0].BlobName)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(zr)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	if !strings.HasPrefix(lines[0], "\xef\xbb\xbfBillingAccountId,") || !strings.Contains(lines[1], "11/01/2026") {
		t.Errorf("it begins with %q, %q", lines[0], lines[1])
	}
	if got := w.rows(m[0], "read_csv", "count(*)"); got != fmt.Sprint(m[0].DataRowCount) {
		t.Errorf("%s rows, the manifest says %d", got, m[0].DataRowCount)
	}
}

// An export without partitioning writes one file a run, beside those of the runs before, and no manifest.
func TestUnpartitioned(t *testing.T) {
	c := &clock{time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)}
	w := ready(t, simazure.Options{Now: c.Now, RowsPerMonth: 300, RestateEvery: -1})
	w.Unpartition(w.PlantExport(scope, "classic", "ActualCost", "Csv", "outlayacc1", "exports"))
	w.deliver(c)
	w.deliver(c)
	var want []string
	history, err := w.exports().GetExecutionHistory(t.Context(), scope, "classic", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range history.Value {
		if p := r.Properties; *p.Status != armcostmanagement.ExecutionStatusCompleted || p.ManifestFile != nil {
			t.Errorf("run %+v", *p)
		}
		want = append(want, *r.Properties.FileName)
	}
	got := slices.Sorted(maps.Keys(w.Only("container")[0].Blobs))
	if slices.Sort(want); len(got) != 2 || !slices.Equal(got, want) || !strings.HasPrefix(got[0], "theirs/classic/20261101-20261130/classic_") || !strings.HasSuffix(got[0], ".csv.gz") {
		t.Errorf("files %v, the history says %v", got, want)
	}
}

// Exports of wider scopes hold what the narrower ones hold: the same bill, and tags as the settings say.
func TestScopesAgree(t *testing.T) {
	const other = "33333333-3333-4333-a333-333333333333"
	w, c, _ := delivering(t, simazure.Options{}, nil)
	w.AddSubscription(tenantID, other, "teaching", "EnterpriseAgreement_2014-09-01")
	enrolment := w.AddEnrolment(tenantID, "8611537", "Northfield EA", subID, other)
	w.Grant(w.app, enrolment, "*")
	body := exportBody(accountID("billing", "outlayacc1"))
	body.Properties.DeliveryInfo.Destination.RootFolderPath = to.Ptr("outlay/b")
	if _, err := w.exports().CreateOrUpdate(t.Context(), enrolment, "focus-2", body, nil); err != nil {
		t.Fatal(err)
	}
	w.deliver(c)
	sums := map[string]string{}
	where := "SubAccountId = '/subscriptions/" + subID + "'"
	for _, m := range w.manifests() {
		sums[w.rows(m, "read_parquet", "round(sum(BilledCost) FILTER (WHERE "+where+"), 6)")] = w.rows(m, "read_parquet", "count(DISTINCT SubAccountId)")
	}
	if len(sums) != 1 {
		t.Errorf("the sums of the subscription differ: %v", sums)
	}
	if len(slices.Collect(maps.Keys(sums))) == 0 {
		t.Error("nothing was delivered")
	}
}
