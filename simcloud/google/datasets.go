package google

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

func datasetRoutes() []route {
	const all, one = "/bigquery/v2/projects/{p}/datasets", "/bigquery/v2/projects/{p}/datasets/{d}"
	return []route{
		on("bigquery.datasets.insert", "POST", all, (*Cloud).insertDataset).changing(),
		on("bigquery.datasets.list", "GET", all, (*Cloud).listDatasets),
		on("bigquery.datasets.get", "GET", one, (*Cloud).getDataset),
		on("bigquery.datasets.patch", "PATCH", one, (*Cloud).patchDataset).changing(),
		on("bigquery.datasets.update", "PUT", one, (*Cloud).updateDataset).changing(),
		on("bigquery.datasets.delete", "DELETE", one, (*Cloud).deleteDataset).changing(),
	}
}

// datasetBody is what a client may write.
type datasetBody struct {
	DatasetReference             struct{ ProjectID, DatasetID string }
	Location                     string
	FriendlyName, Description    *string
	Labels                       map[string]*string
	Access                       *[]obj
	DefaultTableExpirationMs     *json.Number
	DefaultPartitionExpirationMs *json.Number
	DefaultEncryptionConfig      obj `json:"defaultEncryptionConfiguration"`
}

// insertDataset: the creator becomes an owner of what it made.
func (c *Cloud) insertDataset(k *call) (answer, *refusal) {
	var in datasetBody
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	p, fail := c.bigQueryProject(k, "bigquery.datasets.create")
	if fail != nil {
		return answer{}, fail
	}
	id := in.DatasetReference.DatasetID
	if !datasetName.MatchString(id) || len(id) > 1024 {
		return answer{}, refuse(http.StatusBadRequest, "invalid", "Invalid dataset ID %q. Dataset IDs must be alphanumeric (plus underscores) and must be at most 1024 characters long.", id)
	}
	if ref := in.DatasetReference.ProjectID; ref != "" && ref != p.ID {
		return answer{}, refuse(http.StatusBadRequest, "invalid", "Value for projectId does not match: %s, %s", ref, p.ID)
	}
	if c.state.Datasets[p.ID+"."+id] != nil {
		return answer{}, refuse(http.StatusConflict, "duplicate", "Already Exists: Dataset %s:%s", p.ID, id)
	}
	location := canonical(orText(in.Location, "US"))
	if fail := checkLocation(p, location); fail != nil {
		return answer{}, fail
	}
	d := c.newDataset(p, id, location, defaultAccess(k.Caller.Email))
	if fail := d.apply(in, true); fail != nil {
		return answer{}, fail
	}
	d.sandbox(p)
	c.state.Datasets[d.key()] = d
	return ok(d.wire())
}

func (c *Cloud) newDataset(p *project, id, location string, access []obj) *dataset {
	now := c.opt.Now().UTC()
	return &dataset{Project: p.ID, ID: id, Location: location, Type: "DEFAULT", Labels: map[string]string{}, Access: access, Created: now, Modified: now, Version: 1, Tables: map[string]*table{}}
}

// sandbox makes tables of a project without billing expire after 60 days, whatever was asked for (clouds.md §4.3).
func (d *dataset) sandbox(p *project) {
	const sixtyDays = 60 * 24 * 3600 * 1000
	if p.BillingAccount == "" && (d.TableExpiry == 0 || d.TableExpiry > sixtyDays) {
		d.TableExpiry, d.PartitionExpiry = sixtyDays, sixtyDays
	}
}

func orText(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// apply writes what a body names. In a patch, labels merge and a null takes one away; access replaces the whole list.
func (d *dataset) apply(in datasetBody, patch bool) *refusal {
	labels := map[string]string{}
	if patch {
		maps.Copy(labels, d.Labels)
	}
	for key, value := range in.Labels {
		if value == nil {
			delete(labels, key)
			continue
		}
		labels[key] = *value
	}
	if fail := checkLabels(labels); fail != nil {
		return fail
	}
	if in.Access != nil {
		if fail := checkAccess(*in.Access); fail != nil {
			return fail
		}
	}
	expiry, partition := number(in.DefaultTableExpirationMs), number(in.DefaultPartitionExpirationMs)
	if expiry > 0 && expiry < 3600_000 {
		return refuse(http.StatusBadRequest, "invalid", "Default table expiration must be at least 3600000 ms.")
	}
	d.Labels = labels
	if in.Access != nil {
		d.Access = *in.Access
	}
	if in.FriendlyName != nil {
		d.Name = *in.FriendlyName
	}
	if in.Description != nil {
		d.Description = *in.Description
	}
	if in.DefaultTableExpirationMs != nil || !patch {
		d.TableExpiry = expiry
	}
	if in.DefaultPartitionExpirationMs != nil || !patch {
		d.PartitionExpiry = partition
	}
	return nil
}

func number(n *json.Number) int64 {
	if n == nil {
		return 0
	}
	v, err := strconv.ParseInt(strings.Trim(n.String(), `"`), 10, 64)
	if err != nil {
		return 0 // null
	}
	return v
}

// bigQueryProject finds the project in the path and checks a permission on it.
func (c *Cloud) bigQueryProject(k *call, permission string) (*project, *refusal) {
	p := c.projectOf(k.parts[0])
	if p == nil {
		return nil, refuse(http.StatusNotFound, "notFound", "Not found: Project %s", k.parts[0])
	}
	if permission != "" {
		if fail := c.need(k, permission, "projects/"+p.ID); fail != nil {
			return nil, fail
		}
	}
	return p, nil
}

// dataset finds the dataset in the path. Who may not see it learns no more than that.
func (c *Cloud) dataset(k *call, permission string) (*dataset, *refusal) {
	p, fail := c.bigQueryProject(k, "")
	if fail != nil {
		return nil, fail
	}
	d := c.state.Datasets[p.ID+"."+k.parts[1]]
	if d == nil {
		if !c.allowed(k.Caller, permission, "projects/"+p.ID) {
			return nil, c.need(k, permission, "datasets/"+p.ID+"."+k.parts[1])
		}
		return nil, refuse(http.StatusNotFound, "notFound", "Not found: Dataset %s:%s", p.ID, k.parts[1])
	}
	return d, c.need(k, permission, "datasets/"+d.key())
}

// listDatasets gives those that the caller may read, as BigQuery does; it is empty rather than refused.
func (c *Cloud) listDatasets(k *call) (answer, *refusal) {
	p, fail := c.bigQueryProject(k, "")
	if fail != nil {
		return answer{}, fail
	}
	var all []any
	for _, key := range slices.Sorted(maps.Keys(c.state.Datasets)) {
		d := c.state.Datasets[key]
		if d.Project == p.ID && c.allowed(k.Caller, "bigquery.datasets.get", "datasets/"+key) && d.fits(k.Query.Get("filter")) {
			all = append(all, d.summary())
		}
	}
	page, next, fail := paged(all, k.Query.Get("maxResults"), k.Query.Get("pageToken"), 50)
	if fail != nil {
		return answer{}, fail
	}
	out := obj{"kind": "bigquery#datasetList", "etag": "list", "datasets": page}
	if next != "" {
		out["nextPageToken"] = next
	}
	return ok(out)
}

// fits applies a filter of the form labels.key:value labels.other.
func (d *dataset) fits(filter string) bool {
	for term := range strings.FieldsSeq(filter) {
		key, value, exact := strings.Cut(strings.TrimPrefix(term, "labels."), ":")
		got, has := d.Labels[key]
		if !has || (exact && got != value) {
			return false
		}
	}
	return true
}

func (c *Cloud) getDataset(k *call) (answer, *refusal) {
	d, fail := c.dataset(k, "bigquery.datasets.get")
	if fail != nil {
		return answer{}, fail
	}
	return ok(d.wire())
}

func (c *Cloud) patchDataset(k *call) (answer, *refusal) { return c.change(k, true) }

func (c *Cloud) updateDataset(k *call) (answer, *refusal) { return c.change(k, false) }

func (c *Cloud) change(k *call, patch bool) (answer, *refusal) {
	var in datasetBody
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	d, fail := c.dataset(k, "bigquery.datasets.update")
	if fail != nil {
		return answer{}, fail
	}
	if want := k.R.Header.Get("If-Match"); want != "" && want != "*" && want != d.etag() {
		return answer{}, refuse(http.StatusPreconditionFailed, "conditionNotMet", "Precondition check failed.")
	}
	if in.Location != "" && canonical(in.Location) != d.Location {
		return answer{}, refuse(http.StatusBadRequest, "invalid", "Cannot change dataset location.")
	}
	if d.Type == "LINKED" && in.Access == nil {
		return answer{}, refuse(http.StatusBadRequest, "invalid", "Dataset %s:%s is a linked dataset and can not be changed.", d.Project, d.ID)
	}
	if fail := d.apply(in, patch); fail != nil {
		return answer{}, fail
	}
	d.sandbox(c.state.Projects[d.Project])
	d.touch(c.opt.Now())
	return ok(d.wire())
}

func (c *Cloud) deleteDataset(k *call) (answer, *refusal) {
	d, fail := c.dataset(k, "bigquery.datasets.delete")
	if fail != nil {
		return answer{}, fail
	}
	if len(d.Tables) > 0 && k.Query.Get("deleteContents") != "true" && d.Type != "LINKED" {
		return answer{}, refuse(http.StatusBadRequest, "resourceInUse", "Dataset %s:%s is still in use", d.Project, d.ID)
	}
	if len(d.Tables) > 0 && d.Type != "LINKED" {
		if fail := c.need(k, "bigquery.tables.delete", "datasets/"+d.key()); fail != nil {
			return answer{}, fail
		}
	}
	if err := c.dropDataset(d); err != nil {
		return answer{}, refuse(http.StatusServiceUnavailable, "backendError", "%s", err)
	}
	return answer{Status: http.StatusNoContent, Header: http.Header{}}, nil
}
