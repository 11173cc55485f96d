package google_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"google.golang.org/api/cloudbilling/v1"
	"google.golang.org/api/cloudresourcemanager/v3"
	"google.golang.org/api/iterator"
	"google.golang.org/api/serviceusage/v1"

	"outlay/simcloud/google"
)

// One walk through what provisioning does, with the real clients: look, enable, make the dataset, a person at the
// console, deliveries, reading.
func TestFromNothingToRows(t *testing.T) {
	w := newWorld(t, google.Options{EnableLag: 1, SlowEnable: 2, HistoryMonths: 1})
	w.SetService(host, "bigquery.googleapis.com", false)
	c, ctx := w.as("outlay", "*"), t.Context()
	p := must[*cloudresourcemanager.Project](t)(c.projects.Projects.Get("projects/" + host).Do())
	if p.State != "ACTIVE" || p.ProjectId != host {
		t.Errorf("the project is %+v", p)
	}
	info := must[*cloudbilling.ProjectBillingInfo](t)(c.billing.Projects.GetBillingInfo("projects/" + host).Do())
	if !info.BillingEnabled || info.BillingAccountName != "billingAccounts/"+payer {
		t.Errorf("the billing info is %+v", info)
	}
	_, err := c.bq.Dataset(dataset).Metadata(ctx)
	wantReason(t, err, 403, "accessNotConfigured")
	op := must[*serviceusage.Operation](t)(c.services.Services.BatchEnable("projects/"+host, &serviceusage.BatchEnableServicesRequest{ServiceIds: []string{"bigquery.googleapis.com", "cloudbilling.googleapis.com"}}).Do())
	looks := 0
	for ; !op.Done; looks++ {
		op = must[*serviceusage.Operation](t)(c.services.Operations.Get(op.Name).Do())
	}
	if looks != 2 {
		t.Errorf("the operation took %d looks", looks)
	}
	_, err = c.bq.Dataset(dataset).Metadata(ctx)
	wantReason(t, err, 403, "accessNotConfigured") // it takes a while
	if err := c.bq.Dataset(dataset).Create(ctx, &bigquery.DatasetMetadata{Location: "US", Labels: map[string]string{"managed-by": "outlay"}, Description: "cost export"}); err != nil {
		t.Fatal(err)
	}
	if err := w.Export(payer, google.Detailed, host, dataset); err != nil {
		t.Fatal(err)
	}
	w.deliver(1)
	table := c.bq.Dataset(dataset).Table(google.TableName(google.Detailed, payer))
	meta := must[*bigquery.TableMetadata](t)(table.Metadata(ctx))
	if meta.NumRows == 0 || meta.Location != "US" || meta.TimePartitioning.Field != "" || len(meta.Schema) < 25 {
		t.Errorf("the table is %+v", meta)
	}
	if got := w.Filled(payer, google.Detailed); got != "2026-10-11" {
		t.Errorf("after the first delivery the fill reaches %s", got)
	}
	w.deliver(3)
	if got := w.Filled(payer, google.Detailed); got != "2026-11-14" {
		t.Errorf("after all deliveries the data reach %s", got)
	}
	want, err := w.Totals(ctx, payer, google.Detailed, "2026-10")
	if err != nil {
		t.Fatal(err)
	}
	got := c.row(t, "SELECT COUNT(*), CAST(SUM(CAST(cost AS NUMERIC)) AS STRING), CAST(SUM(IFNULL((SELECT SUM(CAST(c.amount AS NUMERIC)) FROM UNNEST(credits) AS c), 0)) AS STRING) FROM `"+host+"."+dataset+"."+google.TableName(google.Detailed, payer)+"` WHERE invoice.month = '202610'")
	if got[0] != want.Rows || got[1] != want.Cost || got[2] != want.Credits {
		t.Errorf("read %v, want %+v", got, want)
	}
}

// deliver makes n deliveries.
func (w *world) deliver(n int) {
	w.t.Helper()
	for range n {
		if err := w.Deliver(context.Background(), noon()); err != nil {
			w.t.Fatal(err)
		}
	}
}

// row runs a query and gives its only row.
func (c *clients) row(t *testing.T, sql string, params ...bigquery.QueryParameter) []bigquery.Value {
	t.Helper()
	rows, err := c.query(t.Context(), sql, params...)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1 {
		t.Fatalf("%d rows", len(rows))
	}
	return rows[0]
}

func (c *clients) query(ctx context.Context, sql string, params ...bigquery.QueryParameter) ([][]bigquery.Value, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second) // the client would retry for ever
	defer cancel()
	q := c.bq.Query(sql)
	q.Parameters = params
	it, err := q.Read(ctx)
	if err != nil {
		return nil, err
	}
	var out [][]bigquery.Value
	for {
		var values []bigquery.Value
		err := it.Next(&values)
		if errors.Is(err, iterator.Done) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, values)
	}
}

func TestItGoesOnWhereItStopped(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, google.Options{Dir: dir})
	c := w.as("outlay", "*")
	if err := c.bq.Dataset(dataset).Create(t.Context(), &bigquery.DatasetMetadata{Location: "EU"}); err != nil {
		t.Fatal(err)
	}
	if err := w.Export(payer, google.Standard, host, dataset); err != nil {
		t.Fatal(err)
	}
	w.deliver(1)
	before := w.Live()
	w.Close()
	again := newWorld(t, google.Options{Dir: dir})
	if after := again.Live(); len(after) != len(before) || after[1].Rows != before[1].Rows || after[1].Rows == 0 {
		t.Errorf("before %+v, after %+v", before, after)
	}
	again.deliver(1)
	if after := again.Live(); after[1].Rows <= before[1].Rows {
		t.Errorf("nothing was added: %+v", after)
	}
}

// A cloud that is stopped no longer answers, and can be started again with what it knew.
func TestStartAndStop(t *testing.T) {
	c, err := google.New(google.Options{Dir: t.TempDir(), DeliverEvery: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	c.AddProject(host, "Billing", "")
	for range 2 {
		url, stop, err := c.Start("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ask := func() error {
			resp, err := http.Get(url + "/v3/projects/" + host)
			if err == nil {
				err = resp.Body.Close()
			}
			return err
		}
		if err := ask(); err != nil {
			t.Error(err)
		}
		stop()
		if ask() == nil {
			t.Error("it answers although it was stopped")
		}
	}
}
