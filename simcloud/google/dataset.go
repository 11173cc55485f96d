package google

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// dataset is a BigQuery dataset. The rows of its tables are in DuckDB, under a schema named as its key.
type dataset struct {
	Project, ID     string
	Location        string // "US", "EU", "europe-west4"
	Type            string // "DEFAULT", "LINKED"
	Name            string // friendly
	Description     string
	Labels          map[string]string
	Access          []obj
	TableExpiry     int64 // ms, 0: never
	PartitionExpiry int64
	Created         time.Time
	Modified        time.Time
	Version         int // the etag
	Tables          map[string]*table
	Foreign         bool // planted
}

// table is what is known of a table without reading it.
type table struct {
	ID        string
	Kind      string // "detailed", "standard", "focus", "view", "" for any other
	Columns   []column
	Partition string // field, "" for ingestion time
	Rows      int64
	Bytes     int64
	Buffered  int64 // those of Rows that are in the streaming buffer
	Labels    map[string]string
	Created   time.Time
	Modified  time.Time
	Version   int
	Foreign   bool
	View      string
}

func (d *dataset) key() string { return d.Project + "." + d.ID }

func (d *dataset) etag() string { return "etag-" + d.ID + "-" + strconv.Itoa(d.Version) }

func (d *dataset) touch(now time.Time) { d.Modified, d.Version = now.UTC(), d.Version+1 }

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// wire is a whole dataset as datasets.get gives it.
func (d *dataset) wire() obj {
	out := obj{
		"kind": "bigquery#dataset", "etag": d.etag(), "id": d.Project + ":" + d.ID, "selfLink": "https://bigquery.googleapis.com/bigquery/v2/projects/" + d.Project + "/datasets/" + d.ID,
		"datasetReference": obj{"projectId": d.Project, "datasetId": d.ID}, "location": d.Location, "type": d.Type, "access": d.Access,
		"creationTime": millis(d.Created), "lastModifiedTime": millis(d.Modified), "maxTimeTravelHours": "168",
	}
	if d.Name != "" {
		out["friendlyName"] = d.Name
	}
	if d.Description != "" {
		out["description"] = d.Description
	}
	if len(d.Labels) > 0 {
		out["labels"] = d.Labels
	}
	if d.TableExpiry > 0 {
		out["defaultTableExpirationMs"] = strconv.FormatInt(d.TableExpiry, 10)
	}
	if d.PartitionExpiry > 0 {
		out["defaultPartitionExpirationMs"] = strconv.FormatInt(d.PartitionExpiry, 10)
	}
	return out
}

// summary is a dataset in a list.
func (d *dataset) summary() obj {
	out := obj{
		"kind": "bigquery#dataset", "id": d.Project + ":" + d.ID, "datasetReference": obj{"projectId": d.Project, "datasetId": d.ID}, "location": d.Location,
		"type": d.Type,
	}
	if len(d.Labels) > 0 {
		out["labels"] = d.Labels
	}
	return out
}

// datasetName and labelText are BigQuery's own rules; international letters are allowed in labels.
var (
	datasetName = regexp.MustCompile(`^[A-Za-z0-9_]+$`)
	labelKey    = regexp.MustCompile(`^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$`)
	labelValue  = regexp.MustCompile(`^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$`)
)

func checkLabels(labels map[string]string) *refusal {
	if len(labels) > 64 {
		return refuse(http.StatusBadRequest, "invalid", "A dataset cannot have more than 64 labels.")
	}
	for k, v := range labels {
		if !labelKey.MatchString(k) {
			return refuse(http.StatusBadRequest, "invalid", "Label key %q has invalid format. Label keys must start with a lowercase letter and contain only lowercase letters, numbers, dashes and underscores.", k)
		}
		if !labelValue.MatchString(v) {
			return refuse(http.StatusBadRequest, "invalid", "Label value %q has invalid format. Label values may contain only lowercase letters, numbers, dashes and underscores.", v)
		}
	}
	return nil
}

// canonical is a location as Google writes it: multi-regions in capitals.
func canonical(location string) string {
	if up := strings.ToUpper(location); up == "US" || up == "EU" {
		return up
	}
	return strings.ToLower(location)
}

// locations are where a dataset may be, canonical.
func locations() []string {
	return []string{
		"US", "EU", "africa-south1", "asia-east1", "asia-east2", "asia-northeast1", "asia-northeast2", "asia-northeast3", "asia-south1", "asia-south2", "asia-southeast1",
		"asia-southeast2", "australia-southeast1", "australia-southeast2", "europe-central2", "europe-north1", "europe-southwest1", "europe-west1", "europe-west10", "europe-west12",
		"europe-west2", "europe-west3", "europe-west4", "europe-west6", "europe-west8", "europe-west9", "me-central1", "me-central2", "me-west1", "northamerica-northeast1",
		"northamerica-northeast2", "southamerica-east1", "southamerica-west1", "us-central1", "us-east1", "us-east4", "us-east5", "us-south1", "us-west1", "us-west2", "us-west3", "us-west4",
	}
}

// checkLocation applies the organization policy. Its exact words are not published; these are what the other services say.
func checkLocation(p *project, location string) *refusal {
	if !slices.Contains(locations(), location) {
		return refuse(http.StatusBadRequest, "invalid", "Invalid value for location: %s is not a valid value", location)
	}
	if len(p.Regions) > 0 && !slices.Contains(p.Regions, strings.ToLower(location)) {
		return refuse(http.StatusPreconditionFailed, "conditionNotMet", "'%s' violates constraint 'constraints/gcp.resourceLocations' on the resource 'projects/%s/datasets'.", strings.ToLower(location), p.ID)
	}
	return nil
}

// defaultAccess is the list of a new dataset: the project's owners, editors and viewers, and whoever made it.
func defaultAccess(creator string) []obj {
	return []obj{
		{"role": "WRITER", "specialGroup": "projectWriters"}, {"role": "OWNER", "specialGroup": "projectOwners"},
		{"role": "OWNER", "userByEmail": creator}, {"role": "READER", "specialGroup": "projectReaders"},
	}
}

// checkAccess refuses entries that name nobody or nothing.
func checkAccess(list []obj) *refusal {
	for _, e := range list {
		named := 0
		for _, who := range []string{"userByEmail", "groupByEmail", "domain", "specialGroup", "iamMember", "view", "routine", "dataset"} {
			if e[who] != nil {
				named++
			}
		}
		_, hasRole := e["role"].(string)
		if named != 1 || (!hasRole && e["view"] == nil && e["routine"] == nil && e["dataset"] == nil) {
			return refuse(http.StatusBadRequest, "invalid", "Each entry of the access list must name exactly one member and a role.")
		}
	}
	return nil
}
