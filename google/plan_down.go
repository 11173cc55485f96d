package google

import (
	"time"

	"github.com/dustin/go-humanize"

	"outlay"
)

// skew is how much Google's clock and ours may differ when a creation is held against our intent (architecture.md
// ruling 3).
const skew = 15 * time.Minute

// down plans toward nothing. That Google goes on writing, nobody but a person can stop; services stay on, and a dataset
// that Google made for FOCUS is never touched (clouds.md §4.4).
func (pl *planner) down() (outlay.Plan, error) {
	pl.missing()
	pl.unseen(string(kindDataset), string(kindTables))
	pl.stop()
	live, there := pl.seen.Find(kindDataset, pl.n.Dataset)
	if there && !pl.unknown(kindDataset) && !pl.unknown(kindTables) {
		pl.downDataset(live)
	} else if _, made := ledgerRow(pl.s, kindDataset); !made && pl.s.CostFiles == "" {
		pl.note("info", "Nothing of Outlay's own is in the project: there is nothing to delete or to keep.")
	}
	if _, on := ledgerRow(pl.s, kindServices); on {
		pl.add(outlay.Change{Action: outlay.ActionKeep, Kind: kindServices, Name: pl.n.Project, Title: "Services", Detail: "They stay on. Other things may use them."})
	}
	return pl.plan, nil
}

// stop reminds of what only a person can do, where an export was ever turned on.
func (pl *planner) stop() {
	_, seen := pl.seen.Find(kindTable, pl.n.Table)
	_, known := ledgerRow(pl.s, kindTable)
	access, _ := pl.seen.Find(kindAccess, pl.n.Dataset)
	if !seen && !known && access.Properties[propWriter] == "" {
		return
	}
	c := outlay.Change{
		Action: outlay.ActionManual, Kind: kindTable, Name: pl.n.Table, Title: "Turn off the billing export", Step: "Turn off the billing export",
		Detail: "Turn off the export in the Google Cloud console, before this run: Google offers no API for it",
		Manual: &outlay.Instruction{
			Text: "Only you can stop the export: Google has no API for it. Open Billing export, choose " + pl.n.Export.title() + ", and press Disable export. Do it first; what Google writes afterwards would have nowhere to go.",
			Who:  "Billing Account Costs Manager or Billing Account Administrator of billing account " + pl.n.Billing + ".",
			Link: pl.p.consoleLink(pl.n.Billing), LinkTitle: "Open Billing export",
			Values: []outlay.InstructionValue{{Title: "Billing account", Value: pl.n.Billing}, {Title: "Export", Value: pl.n.Export.title()}},
			Seen:   "The page says that the export is not enabled. Outlay cannot see it.",
		},
	}
	pl.add(c)
	if contents, _ := pl.seen.Find(kindTables, pl.n.Dataset); contents.Properties[propWritten] == recently && pl.s.CostFiles == outlay.DeleteCostFiles {
		pl.note("warn", "Google wrote into the dataset in the last 24 hours. Unless the export was turned off just now, turn it off before you delete.")
	}
	if pl.n.Export == exportFocus {
		pl.note("info", "The dataset of the FOCUS export is Google's own. It stays.")
	}
}

// mayDelete tells whether a live dataset is ours by all three marks: our ledger row, our labels, and the very dataset
// that we made, which its time of creation tells. why says what is wrong.
func (p *Provider) mayDelete(s *outlay.Source, live outlay.Resource) (why string) {
	row, ok := ledgerRow(s, kindDataset)
	switch {
	case !ok || row.Name != live.Name || row.Origin != outlay.CreatedByUs || row.IntentAt.IsZero():
		return "Outlay has no record of creating it"
	case live.State == outlay.StateForeign || !p.ours(s, live.Owner):
		return "it does not carry Outlay's labels"
	case row.ProviderID != "" && live.ProviderID != row.ProviderID:
		return "it is another one than Outlay created"
	case live.Created.Before(row.IntentAt.Add(-skew)):
		return "it is older than Outlay's own"
	}
	return ""
}

func (pl *planner) downDataset(live outlay.Resource) {
	contents, _ := pl.seen.Find(kindTables, live.Name)
	c := outlay.Change{
		Action: outlay.ActionDelete, Kind: kindDataset, Name: live.Name, Title: "BigQuery dataset", Detail: live.Name + " in project " + live.Properties[propProject], Step: "Delete the dataset",
		Needs: []string{"bigquery.datasets.get", "bigquery.tables.list", "bigquery.datasets.delete"},
	}
	why := pl.p.mayDelete(pl.s, live)
	switch {
	case pl.s.CostFiles == "":
		pl.note("block", "Choose whether the exported tables are deleted or kept.")
		pl.withdraw(live)
	case why != "":
		pl.withdraw(live)
		pl.keepForeign(c, why)
	case pl.s.CostFiles == outlay.KeepCostFiles:
		pl.withdraw(live)
		c.Holds = holds(contents)
		pl.add(keep(c, "Kept with its tables, as chosen"))
	case contents.Foreign > 0:
		pl.withdraw(live)
		pl.keepForeign(c, "it holds "+plural(int(contents.Foreign), "table or view that is", "tables or views that are")+" not of this set-up")
	default:
		pl.add(outlay.Change{
			Action: outlay.ActionDelete, Kind: kindTables, Name: live.Name, Title: "Exported tables", Detail: "Everything that Google exported into " + live.Name, Holds: holds(contents), Step: "Delete the exported tables",
			Needs: []string{"bigquery.datasets.get", "bigquery.tables.list", "bigquery.tables.delete"},
		})
		pl.add(c)
	}
}

// keepForeign lists a thing that is left alone, and says why.
func (pl *planner) keepForeign(c outlay.Change, why string) {
	pl.add(keep(c, "Kept: "+why))
	pl.note("warn", "%s is kept: %s.", c.Name, why)
}

// withdraw takes our entry out of the access list, and our labels off a dataset that outlives us.
func (pl *planner) withdraw(live outlay.Resource) {
	seen, ok := pl.seen.Find(kindAccess, live.Name)
	if !ok || live.State == outlay.StateForeign {
		return
	}
	pl.add(outlay.Change{
		Action: outlay.ActionUpdate, Kind: kindAccess, Name: live.Name, Title: "Reader of the dataset", Detail: "Outlay's entries and its labels are removed; entries of others stay", Step: "Withdraw from the dataset",
		From: map[string]string{propReader: seen.Properties[propReader]}, Needs: []string{"bigquery.datasets.get", "bigquery.datasets.update"},
	})
}

// holds tells how much was found in a resource; "" where nothing was.
func holds(contents outlay.Resource) string {
	if contents.Objects == 0 {
		return ""
	}
	return plural(int(contents.Objects), "table", "tables") + ", " + humanize.Bytes(uint64(contents.Bytes))
}
