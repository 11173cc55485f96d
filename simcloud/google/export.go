package google

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"outlay/simcloud"
)

// export is one switched-on billing export: what the console page configures and no API tells (clouds.md §4.1).
type export struct {
	Account  string // billing account
	Kind     string // "detailed", "standard", "focus"
	Project  string
	Dataset  string
	Table    string
	Enabled  bool
	Since    time.Time      // data before are never delivered: the fill's beginning, or the day of enabling
	Through  time.Time      // exclusive end of the days delivered
	Fill     time.Time      // exclusive end of the fill, delivered in several ticks
	Done     map[string]int // period → restatements delivered
	Count    int            // deliveries
	Switched time.Time
}

// Writer is the account that Google puts into the access list of a dataset when an export into it is switched on.
const Writer = "billing-export-bigquery@system.gserviceaccount.com"

// Kinds of export, as the console names them.
const (
	Detailed = "detailed"
	Standard = "standard"
	Focus    = "focus"
)

// tableName is the name that Google gives the export's table (clouds.md §4.2).
func tableName(kind, account string) string {
	id := strings.ReplaceAll(account, "-", "_")
	switch kind {
	case Detailed:
		return "gcp_billing_export_resource_v1_" + id
	case Standard:
		return "gcp_billing_export_v1_" + id
	}
	return "gcp_billing_export_focus_" + id
}

// Export does what a person does on the console's page: it switches an export on, or moves it to another dataset. For
// Focus the dataset only tells the location, US when it is "": Google makes the linked dataset itself. Tables appear
// with the first delivery.
func (c *Cloud) Export(billingAccount, kind, project, dataset string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if fail := c.enableExport(billingAccount, kind, project, dataset, ""); fail != nil {
		return fmt.Errorf("switching the export on: %s", fail.message)
	}
	return simcloud.Save(c.opt.Dir, c.state)
}

// Disable switches an export off, as a person does on the console's page. Its table stays.
func (c *Cloud) Disable(billingAccount, kind string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.exportOf(billingAccount, kind); e != nil {
		e.Enabled, e.Switched = false, c.opt.Now().UTC()
	}
	c.persist()
}

func (c *Cloud) exportOf(account, kind string) *export {
	for _, e := range c.state.Exports {
		if e.Account == account && e.Kind == kind {
			return e
		}
	}
	return nil
}

// enableExport checks what the console checks, and remembers.
func (c *Cloud) enableExport(account, kind, projectID, datasetID, location string) *refusal {
	bad := func(format string, args ...any) *refusal {
		return refuse(http.StatusBadRequest, "invalid", format, args...)
	}
	if a := c.state.Accounts[account]; a == nil || a.Closed {
		return bad("There is no open billing account %s.", account)
	}
	if !slices.Contains([]string{Detailed, Standard, Focus}, kind) {
		return bad("Choose which kind of export: %s, %s or %s.", Detailed, Standard, Focus)
	}
	p := c.state.Projects[projectID]
	if p == nil {
		return bad("There is no project %q.", projectID)
	}
	if p.BillingAccount == "" {
		return bad("Billing is not enabled for the project %s.", projectID)
	}
	d := c.state.Datasets[projectID+"."+datasetID]
	if kind == Focus {
		if d != nil {
			location = d.Location
		}
		d = c.linkedDataset(p, account, canonical(orText(location, "US")))
	}
	if d == nil {
		return bad("There is no dataset %q in the project %s. Make it first: its location decides how much history there is.", datasetID, projectID)
	}
	if d.Type != "LINKED" {
		d.letIn()
	}
	c.switchOn(account, kind, d)
	return nil
}

// letIn adds Google's writer to the access list.
func (d *dataset) letIn() {
	for _, e := range d.Access {
		if e["userByEmail"] == Writer {
			return
		}
	}
	d.Access = append(slices.Clone(d.Access), obj{"role": "OWNER", "userByEmail": Writer})
	d.Version++
}

// lets tells whether Google's writer may still write.
func (d *dataset) lets() bool {
	return d.Type == "LINKED" || slices.ContainsFunc(d.Access, func(e obj) bool { return e["userByEmail"] == Writer })
}

// linkedDataset is Google's own, immutable dataset of the FOCUS export.
func (c *Cloud) linkedDataset(p *project, account, location string) *dataset {
	id := LinkedDataset(account, location)
	if d := c.state.Datasets[p.ID+"."+id]; d != nil {
		return d
	}
	d := c.newDataset(p, id, location, []obj{{"role": "OWNER", "specialGroup": "projectOwners"}, {"role": "READER", "specialGroup": "projectReaders"}})
	d.Type = "LINKED"
	c.state.Datasets[d.key()] = d
	return d
}

// switchOn begins, moves or resumes an export. A move starts anew in the new dataset; after a pause the gap stays.
func (c *Cloud) switchOn(account, kind string, d *dataset) {
	now := c.opt.Now().UTC()
	e := c.exportOf(account, kind)
	if e != nil && e.Enabled && e.Project == d.Project && e.Dataset == d.ID {
		return
	}
	if e == nil {
		e = &export{Account: account, Kind: kind}
		c.state.Exports = append(c.state.Exports, e)
	}
	again := e.Project == d.Project && e.Dataset == d.ID && len(e.Done) > 0
	e.Project, e.Dataset, e.Table, e.Enabled, e.Switched = d.Project, d.ID, tableName(kind, account), true, now
	if again {
		e.Through = laterOf(e.Through, pacificDay(now)) // what lies between is lost
		return
	}
	e.Done, e.Count = map[string]int{}, 0
	e.Since, e.Fill = pacificDay(now), time.Time{}
	if multiRegion(d.Location) && c.opt.HistoryMonths > 0 {
		month := e.Since.AddDate(0, 0, 1-e.Since.Day())
		e.Since, e.Fill = month.AddDate(0, -c.opt.HistoryMonths, 0), month
	}
	e.Through = e.Since
}

func multiRegion(location string) bool { return location == "US" || location == "EU" }

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// pacific is how far behind UTC the invoices' days begin; summer time is left out.
const pacific = 8 * time.Hour

// pacificDay is the Pacific day of an instant, as a UTC midnight.
func pacificDay(t time.Time) time.Time {
	return t.UTC().Add(-pacific).Truncate(24 * time.Hour)
}
