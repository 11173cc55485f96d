package google

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func tableRoutes() []route {
	const all, one = "/bigquery/v2/projects/{p}/datasets/{d}/tables", "/bigquery/v2/projects/{p}/datasets/{d}/tables/{t}"
	return []route{
		on("bigquery.tables.testIamPermissions", "POST", one+":testIamPermissions", (*Cloud).testTablePermissions),
		on("bigquery.tables.list", "GET", all, (*Cloud).listTables),
		on("bigquery.tables.get", "GET", one, (*Cloud).getTable),
		on("bigquery.tables.delete", "DELETE", one, (*Cloud).deleteTable).changing(),
	}
}

func (t *table) touch(now time.Time) { t.Modified, t.Version = now.UTC(), t.Version+1 }

func (t *table) kind() string {
	if t.Kind == "view" {
		return "VIEW"
	}
	return "TABLE"
}

func (t *table) reference(d *dataset) obj {
	return obj{"projectId": d.Project, "datasetId": d.ID, "tableId": t.ID}
}

// partitioning is how the export tables are cut: detailed and standard by time of ingestion.
func (t *table) partitioning() obj {
	out := obj{"type": "DAY"}
	if t.Partition != "" {
		out["field"] = t.Partition
	}
	return out
}

// wire is a table as tables.get gives it.
func (t *table) wire(d *dataset) obj {
	out := obj{
		"kind": "bigquery#table", "etag": "etag-" + t.ID + "-" + strconv.Itoa(t.Version), "id": d.Project + ":" + d.ID + "." + t.ID, "tableReference": t.reference(d),
		"selfLink": "https://bigquery.googleapis.com/bigquery/v2/projects/" + d.Project + "/datasets/" + d.ID + "/tables/" + t.ID,
		"schema":   obj{"fields": fields(t.Columns)}, "numBytes": strconv.FormatInt(t.Bytes, 10), "numLongTermBytes": "0", "numRows": strconv.FormatInt(t.Rows-t.Buffered, 10),
		"creationTime": millis(t.Created), "lastModifiedTime": millis(t.Modified), "type": t.kind(), "location": d.Location,
	}
	if t.Kind == "view" {
		out["view"] = obj{"query": t.View, "useLegacySql": false}
	} else {
		out["timePartitioning"] = t.partitioning()
	}
	if t.Buffered > 0 {
		out["streamingBuffer"] = obj{"estimatedRows": strconv.FormatInt(t.Buffered, 10), "estimatedBytes": strconv.FormatInt(t.Bytes/t.Rows*t.Buffered, 10), "oldestEntryTime": millis(t.Modified)}
	}
	if d.TableExpiry > 0 {
		out["expirationTime"] = millis(t.Created.Add(time.Duration(d.TableExpiry) * time.Millisecond))
	}
	if len(t.Labels) > 0 {
		out["labels"] = t.Labels
	}
	return out
}

func (c *Cloud) listTables(k *call) (answer, *refusal) {
	d, fail := c.dataset(k, "bigquery.tables.list")
	if fail != nil {
		return answer{}, fail
	}
	var all []any
	for _, id := range slices.Sorted(maps.Keys(d.Tables)) {
		t := d.Tables[id]
		one := obj{"kind": "bigquery#table", "id": d.Project + ":" + d.ID + "." + id, "tableReference": t.reference(d), "type": t.kind(), "creationTime": millis(t.Created)}
		if t.Kind != "view" {
			one["timePartitioning"] = t.partitioning()
		}
		all = append(all, one)
	}
	page, next, fail := paged(all, k.Query.Get("maxResults"), k.Query.Get("pageToken"), 50)
	if fail != nil {
		return answer{}, fail
	}
	out := obj{"kind": "bigquery#tableList", "etag": "list", "totalItems": len(all), "tables": page}
	if next != "" {
		out["nextPageToken"] = next
	}
	return ok(out)
}

func (c *Cloud) table(k *call, permission string) (*dataset, *table, *refusal) {
	p, fail := c.bigQueryProject(k, "")
	if fail != nil {
		return nil, nil, fail
	}
	d := c.state.Datasets[p.ID+"."+k.parts[1]]
	if fail := c.need(k, permission, "tables/"+p.ID+"."+k.parts[1]+"."+k.parts[2]); fail != nil {
		return nil, nil, fail
	}
	if d == nil {
		return nil, nil, refuse(http.StatusNotFound, "notFound", "Not found: Dataset %s:%s", p.ID, k.parts[1])
	}
	t := d.Tables[k.parts[2]]
	if t == nil {
		return nil, nil, refuse(http.StatusNotFound, "notFound", "Not found: Table %s:%s.%s", p.ID, d.ID, k.parts[2])
	}
	return d, t, nil
}

// resultTable is the anonymous table that holds a query's results, which its owner may look at.
func (c *Cloud) resultTable(k *call) (answer, *refusal) {
	j, fail := c.byLocation(k.parts[0], "", strings.TrimPrefix(k.parts[2], "anon_"))
	if fail != nil || j.by != k.Caller.Email || j.failed != nil {
		return answer{}, refuse(http.StatusNotFound, "notFound", "Not found: Table %s:%s.%s", k.parts[0], k.parts[1], k.parts[2])
	}
	d := &dataset{Project: j.Project, ID: k.parts[1], Location: j.Location}
	t := &table{ID: k.parts[2], Columns: j.columns, Rows: j.rows, Created: j.created, Modified: j.created, Version: 1}
	out := t.wire(d)
	delete(out, "timePartitioning")
	return ok(out)
}

func (c *Cloud) getTable(k *call) (answer, *refusal) {
	if k.parts[1] == anonymous {
		return c.resultTable(k)
	}
	d, t, fail := c.table(k, "bigquery.tables.get")
	if fail != nil {
		return answer{}, fail
	}
	return ok(t.wire(d))
}

func (c *Cloud) deleteTable(k *call) (answer, *refusal) {
	d, t, fail := c.table(k, "bigquery.tables.delete")
	if fail != nil {
		return answer{}, fail
	}
	if d.Type == "LINKED" {
		return answer{}, refuse(http.StatusForbidden, "accessDenied", "Access Denied: Table %s:%s.%s: a table of a linked dataset cannot be deleted.", d.Project, d.ID, t.ID)
	}
	if err := c.dropTable(d, t); err != nil {
		return answer{}, refuse(http.StatusServiceUnavailable, "backendError", "%s", err)
	}
	return answer{Status: http.StatusNoContent, Header: http.Header{}}, nil
}

// testTablePermissions answers with an empty set for a table that does not exist: 'no' and 'absent' look alike
// (clouds.md §4.5).
func (c *Cloud) testTablePermissions(k *call) (answer, *refusal) {
	p, fail := c.bigQueryProject(k, "")
	if fail != nil {
		return answer{}, fail
	}
	d := c.state.Datasets[p.ID+"."+k.parts[1]]
	exists := d != nil && d.Tables[k.parts[2]] != nil
	return c.testPermissions(k, "tables/"+p.ID+"."+k.parts[1]+"."+k.parts[2], exists)
}
