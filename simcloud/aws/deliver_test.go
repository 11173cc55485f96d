package aws_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bcmdataexports"
	bcmtypes "github.com/aws/aws-sdk-go-v2/service/bcmdataexports/types"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	cetypes "github.com/aws/aws-sdk-go-v2/service/costexplorer/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"outlay/outlaytest"
	"outlay/simcloud/aws"
	"outlay/simcloud/bill"
)

// delivered is what a reader finds in a bucket: everything that counts, found through the manifests alone.
type delivered struct {
	keys      []string
	manifests map[string]manifest // by period
	rows      map[string]int64    // by period
	cost      map[string]string   // by period, billed
	accounts  map[string][]string // by period
	tagKeys   map[string][]string // by period
}

type manifest struct {
	ExecutionID, ExportArn string
	DataFiles              []string
	Columns                []struct{ Name, Type string }
	key, etag              string
	modified               time.Time
}

// read reads deliveries as clouds.md §2.9 says, and opens the files with DuckDB.
func (w *world) read(c clients, bucket, name string) delivered {
	w.t.Helper()
	d := delivered{manifests: map[string]manifest{}, rows: map[string]int64{}, cost: map[string]string{}, accounts: map[string][]string{}, tagKeys: map[string][]string{}}
	pages := s3.NewListObjectsV2Paginator(c.s3, &s3.ListObjectsV2Input{Bucket: &bucket})
	for pages.HasMorePages() {
		page := must[*s3.ListObjectsV2Output](w.t)(pages.NextPage(w.t.Context()))
		for _, o := range page.Contents {
			d.keys = append(d.keys, *o.Key)
			folder, file := filepath.Split(*o.Key)
			if file != name+"-Manifest.json" || !strings.HasPrefix(strings.ToLower(filepath.Base(folder)), "billing_period=") {
				continue
			}
			_, period, _ := strings.Cut(filepath.Base(folder), "=")
			if last, ok := d.manifests[period]; ok && last.modified.After(*o.LastModified) {
				continue
			}
			m := manifest{key: *o.Key, etag: *o.ETag, modified: *o.LastModified}
			if err := json.Unmarshal([]byte(w.object(c, bucket, *o.Key)), &m); err != nil {
				w.t.Fatal(err)
			}
			d.manifests[period] = m
		}
	}
	for period, m := range d.manifests {
		w.query(c, bucket, period, m, &d)
	}
	return d
}

func (w *world) object(c clients, bucket, key string) string {
	w.t.Helper()
	return mustRead(w.t, must[*s3.GetObjectOutput](w.t)(c.s3.GetObject(w.t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})))
}

func (w *world) query(c clients, bucket, period string, m manifest, d *delivered) {
	w.t.Helper()
	dir := w.t.TempDir()
	var files []string
	for i, uri := range m.DataFiles {
		key, ok := strings.CutPrefix(uri, "s3://"+bucket+"/")
		if !ok {
			w.t.Fatalf("the manifest names %s", uri)
		}
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(path, []byte(w.object(c, bucket, key)), 0o600); err != nil {
			w.t.Fatal(err)
		}
		files = append(files, "'"+path+"'")
	}
	db, err := bill.Open()
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	from := " FROM read_parquet([" + strings.Join(files, ",") + "])"
	var rows int64
	var cost, accounts, tags string
	err = db.QueryRow("SELECT count(*), sum(BilledCost)::DECIMAL(20,6)::VARCHAR, coalesce(string_agg(DISTINCT SubAccountId, ',' ORDER BY SubAccountId), '')"+from).Scan(&rows, &cost, &accounts)
	if err == nil {
		err = db.QueryRow("SELECT coalesce(string_agg(DISTINCT k, ',' ORDER BY k), '') FROM (SELECT unnest(map_keys(Tags)) k" + from + ")").Scan(&tags)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	d.rows[period], d.cost[period], d.accounts[period], d.tagKeys[period] = rows, cost, strings.Split(accounts, ","), strings.Split(tags, ",")
}

// provisioned is a world with an export of the payer, and the administrator's clients.
func provisioned(t *testing.T, o aws.Options) (*world, clients, string) {
	w := newWorld(t, o)
	w.ready(payerID, "bills", "focus")
	c := w.as(payerID, "ada", "*")
	return w, c, w.export(c, "focus", "bills")
}

func (w *world) deliver(now time.Time) {
	w.t.Helper()
	if err := w.Deliver(w.t.Context(), now); err != nil {
		w.t.Fatal(err)
	}
}

func TestDeliveryLayout(t *testing.T) {
	now := newClock("2026-11-10T08:00:00Z")
	w, c, arn := provisioned(t, aws.Options{Now: now.now, HistoryMonths: 2})
	w.deliver(now.now())
	d := w.read(c, "bills", "focus")
	if len(d.manifests) != 3 {
		t.Fatalf("delivered %v", d.keys)
	}
	m := d.manifests["2026-11"]
	if m.ExportArn != arn || m.ExecutionID == "" || len(m.DataFiles) != 2 || len(m.Columns) != 7 || m.Columns[6].Type != "map<string,string>" {
		t.Errorf("got manifest %+v", m)
	}
	if want := "s3://bills/outlay/focus/data/BILLING_PERIOD=2026-11/focus-00001.snappy.parquet"; m.DataFiles[0] != want {
		t.Errorf("the first file is %s, want %s", m.DataFiles[0], want)
	}
	decoys := 0
	for _, k := range d.keys {
		if strings.HasPrefix(k, "outlay/focus/metadata/BILLING_PERIOD=2026-11/") && k != m.key {
			decoys++
		}
	}
	if decoys != 2 {
		t.Errorf("%d decoys beside the manifest in %v", decoys, d.keys)
	}
	if diff := cmp.Diff([]string{payerID, memberID}, d.accounts["2026-10"]); diff != "" && !slices.Contains(d.accounts["2026-10"], memberID) {
		t.Errorf("sub accounts: %s", diff)
	}
	if d.rows["2026-10"] < 400 || d.rows["2026-11"] >= d.rows["2026-10"] {
		t.Errorf("rows: %v; the current month must be shorter", d.rows)
	}
	runs := must[*bcmdataexports.ListExecutionsOutput](t)(c.bcm.ListExecutions(t.Context(), &bcmdataexports.ListExecutionsInput{ExportArn: &arn}))
	if len(runs.Executions) != 3 || runs.Executions[0].ExecutionStatus.StatusCode != bcmtypes.ExecutionStatusCodeDeliverySuccess {
		t.Errorf("got %+v", runs.Executions)
	}
	run := must[*bcmdataexports.GetExecutionOutput](t)(c.bcm.GetExecution(t.Context(), &bcmdataexports.GetExecutionInput{ExportArn: &arn, ExecutionId: &m.ExecutionID}))
	if *run.Export.Name != "focus" {
		t.Errorf("got %+v", run)
	}
}

// Through several days: the current month grows and is restated, files come and go, the spelling of the partition
// changes, a closed month is restated, and the month's end is not lost.
func TestDeliveriesInTime(t *testing.T) {
	now := newClock("2026-10-29T08:00:00Z")
	w, c, _ := provisioned(t, aws.Options{Now: now.now, HistoryMonths: 1, RestateEvery: 3, SpellingEvery: 2})
	var seen []delivered
	for range 7 {
		w.deliver(now.now())
		seen = append(seen, w.read(c, "bills", "focus"))
		now.move(24 * time.Hour)
	}
	last := seen[6]
	if seen[1].rows["2026-10"] <= seen[0].rows["2026-10"] {
		t.Errorf("a day later there are %d rows after %d", seen[1].rows["2026-10"], seen[0].rows["2026-10"])
	}
	if seen[3].manifests["2026-09"].etag == seen[2].manifests["2026-09"].etag {
		t.Error("the third delivery after the first did not restate the closed month")
	}
	if _, ok := last.manifests["2026-11"]; !ok || last.rows["2026-10"] <= seen[1].rows["2026-10"] {
		t.Errorf("over the end of the month: %v", last.rows)
	}
	spellings := map[string]bool{}
	for _, k := range last.keys {
		for _, spelling := range []string{"BILLING_PERIOD", "billing_period"} {
			spellings[spelling] = spellings[spelling] || strings.Contains(k, "/"+spelling+"=2026-")
		}
	}
	if diff := cmp.Diff(map[string]bool{"BILLING_PERIOD": true, "billing_period": true}, spellings); diff != "" {
		t.Error(diff)
	}
	for i := 1; i < len(seen); i++ {
		for period, m := range seen[i].manifests {
			if was, ok := seen[i-1].manifests[period]; ok && m.etag != was.etag && !m.modified.After(was.modified) {
				t.Errorf("%s moved from %v to %v", period, was.modified, m.modified)
			}
		}
	}
	if orphans := countOrphans(last); orphans == 0 {
		t.Error("no orphan file was left behind")
	}
}

// countOrphans counts data files that no manifest names.
func countOrphans(d delivered) int {
	named := map[string]bool{}
	for _, m := range d.manifests {
		for _, f := range m.DataFiles {
			named[strings.TrimPrefix(f, "s3://bills/")] = true
		}
	}
	n := 0
	for _, k := range d.keys {
		if strings.HasSuffix(k, ".parquet") && !named[k] {
			n++
		}
	}
	return n
}

func TestMemberExportHoldsItsOwn(t *testing.T) {
	now := newClock("2026-11-10T08:00:00Z")
	w := newWorld(t, aws.Options{Now: now.now})
	w.ready(memberID, "own-bills", "focus")
	c := w.as(memberID, "bob", "*")
	w.export(c, "focus", "own-bills")
	w.deliver(now.now())
	d := w.read(c, "own-bills", "focus")
	if diff := cmp.Diff([]string{memberID}, d.accounts["2026-11"]); diff != "" {
		t.Error(diff)
	}
}

func TestTagsInTheData(t *testing.T) {
	now := newClock("2026-11-10T08:00:00Z")
	w, c, _ := provisioned(t, aws.Options{Now: now.now, HistoryMonths: 1})
	w.SeeTags("Project", "User", "Pool")
	w.deliver(now.now())
	if d := w.read(c, "bills", "focus"); len(d.tagKeys["2026-11"]) != 1 || d.tagKeys["2026-11"][0] != "" {
		t.Errorf("inactive keys in the data: %v", d.tagKeys)
	}
	activate := []cetypes.CostAllocationTagStatusEntry{entry("Project", "Active"), entry("User", "Active")}
	must[*costexplorer.UpdateCostAllocationTagsStatusOutput](t)(c.ce.UpdateCostAllocationTagsStatus(t.Context(), &costexplorer.UpdateCostAllocationTagsStatusInput{CostAllocationTagsStatus: activate}))
	now.move(5 * 24 * time.Hour)
	w.deliver(now.now())
	d := w.read(c, "bills", "focus")
	if diff := cmp.Diff([]string{"user_project", "user_user"}, d.tagKeys["2026-11"]); diff != "" {
		t.Error(diff)
	}
	if d.tagKeys["2026-10"][0] != "" {
		t.Errorf("tags were written back to October: %v", d.tagKeys["2026-10"])
	}
	must[*costexplorer.StartCostAllocationTagBackfillOutput](t)(c.ce.StartCostAllocationTagBackfill(t.Context(), &costexplorer.StartCostAllocationTagBackfillInput{BackfillFrom: awssdk.String("2026-10-01T00:00:00Z")}))
	now.move(time.Hour)
	w.deliver(now.now())
	if diff := cmp.Diff([]string{"user_project", "user_user"}, w.read(c, "bills", "focus").tagKeys["2026-10"]); diff != "" {
		t.Errorf("after the backfill: %s", diff)
	}
}

// In the demo an activation reaches back over all that was delivered.
func TestTagsReachBack(t *testing.T) {
	now := newClock("2026-11-10T08:00:00Z")
	w, c, _ := provisioned(t, aws.Options{Now: now.now, HistoryMonths: 1, TagsReachBack: true, ActivateAfter: time.Minute, TagPrefix: "user:"})
	w.SeeTags("Project")
	w.deliver(now.now())
	must[*costexplorer.UpdateCostAllocationTagsStatusOutput](t)(c.ce.UpdateCostAllocationTagsStatus(t.Context(), &costexplorer.UpdateCostAllocationTagsStatusInput{CostAllocationTagsStatus: []cetypes.CostAllocationTagStatusEntry{entry("Project", "Active")}}))
	now.move(30 * time.Second)
	w.deliver(now.now())
	if d := w.read(c, "bills", "focus"); d.tagKeys["2026-11"][0] != "" {
		t.Errorf("in the data while activating: %v", d.tagKeys)
	}
	now.move(time.Minute)
	w.deliver(now.now())
	want := map[string][]string{"2026-10": {"user:Project"}, "2026-11": {"user:Project"}}
	if diff := cmp.Diff(want, w.read(c, "bills", "focus").tagKeys); diff != "" {
		t.Error(diff)
	}
}

func TestDeliveriesThatDoNotCome(t *testing.T) {
	now := newClock("2026-11-10T08:00:00Z")
	w, c, arn := provisioned(t, aws.Options{Now: now.now, LateDelivery: true})
	w.SetBucketPolicy("bills", "")
	w.deliver(now.now())
	if d := w.read(c, "bills", "focus"); len(d.manifests) != 0 {
		t.Errorf("delivered without permission: %v", d.keys)
	}
	runs := must[*bcmdataexports.ListExecutionsOutput](t)(c.bcm.ListExecutions(t.Context(), &bcmdataexports.ListExecutionsInput{ExportArn: &arn}))
	if len(runs.Executions) != 1 || runs.Executions[0].ExecutionStatus.StatusReason != bcmtypes.ExecutionStatusReasonInsufficientPermission {
		t.Errorf("got %+v", runs.Executions)
	}
	w.SetBucketPolicy("bills", exportPolicy("bills", payerID, "focus"))
	must[*bcmdataexports.DeleteExportOutput](t)(c.bcm.DeleteExport(t.Context(), &bcmdataexports.DeleteExportInput{ExportArn: &arn}))
	before := len(w.read(c, "bills", "focus").keys)
	for i, want := range []int{before + 1, before + 1} { // what was in flight, and nothing more
		w.deliver(now.now())
		if got := len(w.read(c, "bills", "focus").keys); got != want {
			t.Errorf("delivery %d after the deletion: %d objects, want %d", i, got, want)
		}
	}
}

// A cloud goes on where it stopped, keys, buckets and objects included.
func TestReopened(t *testing.T) {
	dir := t.TempDir()
	first, err := aws.New(aws.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	first.AddAccount(payerID, "Northfield")
	id, secret := first.AddUser(payerID, "ada", "*")
	first.PlantBucket(payerID, "us-east-1", "kept")
	second, err := aws.New(aws.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	url, stop, err := second.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if diff := cmp.Diff(first.Snapshot(), second.Snapshot()); diff != "" {
		t.Error(diff)
	}
	client := outlaytest.S3Server{Endpoint: url, Region: "us-east-1", AccessKeyID: id}.Client(secret)
	out := must[*s3.GetObjectOutput](t)(client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: awssdk.String("kept"), Key: awssdk.String("theirs/report.csv")}))
	if text := mustRead(t, out); text != "not ours\n" {
		t.Errorf("got %q", text)
	}
}

// Started with a rhythm, the cloud delivers by itself.
func TestStartDelivers(t *testing.T) {
	cloud, err := aws.New(aws.Options{Dir: t.TempDir(), DeliverEvery: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	cloud.AddAccount(payerID, "Northfield")
	url, stop, err := cloud.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	w := &world{cloud, url, t}
	w.ready(payerID, "bills", "focus")
	c := w.as(payerID, "ada", "*")
	w.export(c, "focus", "bills")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for len(w.read(c, "bills", "focus").manifests) == 0 {
		select {
		case <-ctx.Done():
			t.Fatal("nothing was delivered")
		case <-time.After(20 * time.Millisecond):
		}
	}
}
