package google_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/bigquery"
	"google.golang.org/api/iterator"

	"outlay/simcloud/google"
)

func TestDatasetsAsBigQueryKeepsThem(t *testing.T) {
	w := newWorld(t, google.Options{})
	c, ctx := w.as("outlay", "*"), t.Context()
	d := c.bq.Dataset(dataset)
	if err := d.Create(ctx, &bigquery.DatasetMetadata{Location: "us", Labels: map[string]string{"a": "1", "b": "2"}}); err != nil {
		t.Fatal(err)
	}
	wantReason(t, d.Create(ctx, &bigquery.DatasetMetadata{Location: "EU"}), 409, "duplicate")
	meta := must[*bigquery.DatasetMetadata](t)(d.Metadata(ctx))
	if meta.Location != "US" || len(meta.Access) != 4 {
		t.Errorf("made %+v", meta)
	}
	var change bigquery.DatasetMetadataToUpdate
	change.DeleteLabel("a")
	change.SetLabel("c", "3")
	change.Access = append(slices.Clone(meta.Access), &bigquery.AccessEntry{Role: bigquery.ReaderRole, EntityType: bigquery.UserEmailEntity, Entity: "reader@example.org"})
	after := must[*bigquery.DatasetMetadata](t)(d.Update(ctx, change, meta.ETag))
	if len(after.Access) != 5 || after.Labels["c"] != "3" || after.Labels["b"] != "2" || after.Labels["a"] != "" {
		t.Errorf("changed to %+v", after)
	}
	_, err := d.Update(ctx, change, meta.ETag)
	wantReason(t, err, 412, "conditionNotMet")
	change = bigquery.DatasetMetadataToUpdate{Access: []*bigquery.AccessEntry{}}
	change.SetLabel("Upper", "x")
	_, err = d.Update(ctx, change, "")
	wantReason(t, err, 400, "invalid")
	w.PlantTable(host, dataset, "theirs")
	wantReason(t, d.Delete(ctx), 400, "resourceInUse")
	if err := d.DeleteWithContents(ctx); err != nil {
		t.Error(err)
	}
	_, err = d.Metadata(ctx)
	wantReason(t, err, 404, "notFound")
	wantReason(t, c.bq.Dataset("bad-name").Create(ctx, &bigquery.DatasetMetadata{}), 400, "invalid")
	wantReason(t, c.bq.Dataset("x").Create(ctx, &bigquery.DatasetMetadata{Location: "moon-1"}), 400, "invalid")
	wantReason(t, c.bq.Dataset("x").Create(ctx, &bigquery.DatasetMetadata{Labels: map[string]string{"a": "B"}}), 400, "invalid")
}

func TestPolicyAndSandbox(t *testing.T) {
	w := newWorld(t, google.Options{})
	c, ctx := w.as("outlay", "*"), t.Context()
	w.AllowRegions(host, "EU", "europe-west4")
	err := c.bq.Dataset(dataset).Create(ctx, &bigquery.DatasetMetadata{Location: "US"})
	wantReason(t, err, 412, "conditionNotMet")
	if err == nil || !strings.Contains(err.Error(), "constraints/gcp.resourceLocations") {
		t.Errorf("the refusal does not name the policy: %v", err)
	}
	if err := c.bq.Dataset(dataset).Create(ctx, &bigquery.DatasetMetadata{Location: "EU"}); err != nil {
		t.Error(err)
	}
	w.AddProject(host, "Billing", "")
	if err := c.bq.Dataset("later").Create(ctx, &bigquery.DatasetMetadata{Location: "EU"}); err != nil {
		t.Fatal(err)
	}
	if meta := must[*bigquery.DatasetMetadata](t)(c.bq.Dataset("later").Metadata(ctx)); meta.DefaultTableExpiration.Hours() != 60*24 {
		t.Errorf("tables of a sandbox expire after %s", meta.DefaultTableExpiration)
	}
}

// What somebody may not see is left out of lists, and refused by name elsewhere.
func TestWhoSeesWhat(t *testing.T) {
	w := newWorld(t, google.Options{})
	owner, ctx := w.as("outlay", "*"), t.Context()
	if err := owner.bq.Dataset(dataset).Create(ctx, &bigquery.DatasetMetadata{}); err != nil {
		t.Fatal(err)
	}
	w.PlantDataset(host, "theirs", "US", map[string]string{"owner": "somebody"}, "a", "b")
	reader := w.as("reader", "bigquery.jobs.create")
	if got := datasetsOf(t, reader); len(got) != 0 {
		t.Errorf("the reader sees %v", got)
	}
	_, err := reader.bq.Dataset(dataset).Metadata(ctx)
	wantReason(t, err, 403, "accessDenied")
	if err == nil || !strings.Contains(err.Error(), "bigquery.datasets.get") {
		t.Errorf("the refusal does not name the permission: %v", err)
	}
	w.SetAccess(host, dataset, map[string]any{"role": "READER", "userByEmail": google.Email(host, "reader")})
	if got := datasetsOf(t, reader); len(got) != 1 || got[0] != dataset {
		t.Errorf("the reader sees %v", got)
	}
	wantReason(t, reader.bq.Dataset(dataset).Delete(ctx), 403, "accessDenied")
	if got := datasetsOf(t, owner); len(got) != 2 {
		t.Errorf("the owner sees %v", got)
	}
	has := must[[]string](t)(owner.bq.Dataset("theirs").Table("a").IAM().TestPermissions(ctx, []string{"bigquery.tables.getData"}))
	if len(has) != 1 {
		t.Errorf("on a table: %v", has)
	}
	has = must[[]string](t)(owner.bq.Dataset("theirs").Table("gone").IAM().TestPermissions(ctx, []string{"bigquery.tables.getData"}))
	if len(has) != 0 {
		t.Errorf("on a table that does not exist: %v", has)
	}
	for _, l := range w.Live() {
		if strings.Contains(l.Name, "theirs") && (!l.Foreign || l.Version != 1) {
			t.Errorf("touched or not foreign: %+v", l)
		}
	}
}

func datasetsOf(t *testing.T, c *clients) []string {
	t.Helper()
	var out []string
	for it := c.bq.Datasets(t.Context()); ; {
		d, err := it.Next()
		if errors.Is(err, iterator.Done) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, d.DatasetID)
	}
}
