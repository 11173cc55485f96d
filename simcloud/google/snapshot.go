package google

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"
)

// Live is one resource that exists in the cloud: a dataset, a table, or a switched-on export.
type Live struct {
	Kind        string // "dataset", "table" or "export"
	Name        string // "project.dataset", "project.dataset.table", or "billing account kind"
	Project     string
	Location    string // datasets
	Type        string // datasets: "DEFAULT" or "LINKED"
	Description string
	Labels      map[string]string
	Access      []map[string]any // datasets
	Rows        int64            // tables
	Created     time.Time
	Version     int  // raised by every change
	Foreign     bool // planted
}

// Live gives every live resource, by kind and name. Two calls give equal answers (cmp.Diff) for what nobody touched.
func (c *Cloud) Live() []Live {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []Live
	for _, key := range slices.Sorted(maps.Keys(c.state.Datasets)) {
		d := c.state.Datasets[key]
		out = append(out, Live{
			Kind: "dataset", Name: key, Project: d.Project, Location: d.Location, Type: d.Type, Description: d.Description, Labels: maps.Clone(d.Labels),
			Access: slices.Clone(d.Access), Created: d.Created, Version: d.Version, Foreign: d.Foreign,
		})
		for _, id := range slices.Sorted(maps.Keys(d.Tables)) {
			t := d.Tables[id]
			out = append(out, Live{Kind: "table", Name: key + "." + id, Project: d.Project, Labels: maps.Clone(t.Labels), Rows: t.Rows, Created: t.Created, Version: t.Version, Foreign: t.Foreign || d.Foreign})
		}
	}
	for _, e := range c.state.Exports {
		if e.Enabled {
			out = append(out, Live{Kind: "export", Name: e.Account + " " + e.Kind, Project: e.Project, Created: e.Switched})
		}
	}
	return out
}

// Services lists the services of a project that are on.
func (c *Cloud) Services(project string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for name, enabled := range c.mustProject(project).Services {
		if enabled {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// PlantDataset makes a dataset that is not ours, with the named tables in it, which have no rows: a sweep proves with
// Live that it was not touched.
func (c *Cloud) PlantDataset(project, id, location string, labels map[string]string, tables ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.newDataset(c.mustProject(project), id, canonical(location), defaultAccess("somebody@example.org"))
	d.Foreign, d.Labels = true, labels
	for _, name := range tables {
		d.Tables[name] = c.plant(name)
	}
	c.state.Datasets[d.key()] = d
	c.persist()
}

// PlantTable puts a table without rows into a dataset, past all permissions: somebody's own work, or an export table of
// another billing account.
func (c *Cloud) PlantTable(project, dataset, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.mustDataset(project, dataset)
	d.Tables[id] = c.plant(id)
	d.Version++
	c.persist()
}

// PlantView is PlantTable for a view over an export table.
func (c *Cloud) PlantView(project, dataset, id, query string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.plant(id)
	t.Kind, t.View = "view", query
	c.mustDataset(project, dataset).Tables[id] = t
	c.persist()
}

func (c *Cloud) plant(id string) *table {
	now := c.opt.Now().UTC()
	return &table{ID: id, Columns: []column{{Name: "theirs", Type: "STRING", Mode: "NULLABLE"}}, Created: now, Modified: now, Version: 1, Foreign: true}
}

func (c *Cloud) mustDataset(project, id string) *dataset {
	d := c.state.Datasets[project+"."+id]
	if d == nil {
		panic("simulated cloud: no dataset " + project + "." + id)
	}
	return d
}

// RemoveDataset deletes a dataset and all that is in it, as somebody at the console would.
func (c *Cloud) RemoveDataset(project, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d := c.state.Datasets[project+"."+id]; d != nil {
		c.must(c.dropDataset(d))
	}
	c.persist()
}

// RemoveTable deletes a table, as somebody at the console would, or as the two years of the FOCUS export do.
func (c *Cloud) RemoveTable(project, dataset, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.mustDataset(project, dataset)
	if t := d.Tables[id]; t != nil {
		c.must(c.dropTable(d, t))
	}
	c.persist()
}

// SetAccess replaces the access list of a dataset past all permissions: drift by somebody else's hand. A list without
// Writer stops the export.
func (c *Cloud) SetAccess(project, dataset string, access ...map[string]any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.mustDataset(project, dataset)
	d.Access = access
	d.touch(c.opt.Now())
	c.persist()
}

// SetLabels replaces the labels of a dataset past all permissions.
func (c *Cloud) SetLabels(project, dataset string, labels map[string]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.mustDataset(project, dataset)
	d.Labels = labels
	d.touch(c.opt.Now())
	c.persist()
}

// Alter runs SQL of DuckDB on the rows of a table, past all permissions; in it, TABLE stands for the table. So a test
// damages rows ("DELETE FROM TABLE WHERE …") or asks for sums.
func (c *Cloud) Alter(project, dataset, id, statement string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.mustDataset(project, dataset)
	t := d.Tables[id]
	c.must(c.exec(context.Background(), standsFor(statement, physical(d, t))))
	var err error
	t.Columns, err = c.describe(context.Background(), "SELECT * FROM "+physical(d, t))
	c.must(err)
	c.must(c.count(context.Background(), d, t))
	c.persist()
}

// Ask gives the one value of a SELECT in DuckDB's SQL over a table, as text; TABLE stands for the table.
func (c *Cloud) Ask(project, dataset, id, query string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.mustDataset(project, dataset)
	db, err := c.data()
	c.must(err)
	var out string
	c.must(db.QueryRow("SELECT (" + standsFor(query, physical(d, d.Tables[id])) + ")::VARCHAR").Scan(&out))
	return out
}

func standsFor(statement, name string) string { return strings.ReplaceAll(statement, "TABLE", name) }

func (c *Cloud) must(err error) {
	if err != nil {
		panic("simulated cloud: " + err.Error())
	}
}
