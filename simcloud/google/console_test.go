package google_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"cloud.google.com/go/bigquery"

	"outlay/simcloud/google"
)

// page posts a form to the console, or gets the page, and gives what a person sees.
func (w *world) page(form url.Values) (int, string) {
	w.t.Helper()
	address := w.url + "/console/billing/" + payer + "/export"
	var resp *http.Response
	var err error
	if form == nil {
		resp, err = http.Get(address)
	} else {
		resp, err = http.PostForm(address, form)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b := must[[]byte](w.t)(io.ReadAll(resp.Body))
	return resp.StatusCode, string(b)
}

func TestTheConsolePage(t *testing.T) {
	w := newWorld(t, google.Options{RowsPerMonth: 60})
	c := w.as("outlay", "*")
	if err := c.bq.Dataset(dataset).Create(t.Context(), &bigquery.DatasetMetadata{Location: "EU"}); err != nil {
		t.Fatal(err)
	}
	status, page := w.page(nil)
	for _, want := range []string{payer, "Detailed usage cost", "Not enabled", `<option value="` + host + `"`, `<option value="` + dataset + `"`, "EU)"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if status != 200 {
		t.Errorf("status %d", status)
	}
	status, page = w.page(url.Values{"kind": {google.Detailed}, "project": {host}, "dataset": {""}})
	if status != 400 || !strings.Contains(page, "There is no dataset") {
		t.Errorf("without a dataset: %d", status)
	}
	status, page = w.page(url.Values{"kind": {google.Detailed}, "project": {host}, "dataset": {dataset}})
	if status != 200 || !strings.Contains(page, "Detailed usage cost: enabled") {
		t.Errorf("saved: %d", status)
	}
	meta := must[*bigquery.DatasetMetadata](t)(c.bq.Dataset(dataset).Metadata(t.Context()))
	if last := meta.Access[len(meta.Access)-1]; last.Entity != google.Writer {
		t.Errorf("the access list ends with %+v", last)
	}
	status, _ = w.page(url.Values{"kind": {google.Focus}, "project": {host}, "dataset": {dataset}})
	linked := google.LinkedDataset(payer, "EU")
	found := must[*bigquery.DatasetMetadata](t)(c.bq.Dataset(linked).Metadata(t.Context()))
	if status != 200 || found.Location != "EU" {
		t.Errorf("the linked dataset is %+v", found)
	}
	_, err := c.bq.Dataset(linked).Update(t.Context(), bigquery.DatasetMetadataToUpdate{Description: "mine"}, "")
	wantReason(t, err, 400, "invalid")
	status, page = w.page(url.Values{"action": {"disable"}, "kind": {google.Detailed}})
	if status != 200 || !strings.Contains(page, "Detailed usage cost: disabled") {
		t.Errorf("disabled: %d", status)
	}
}
