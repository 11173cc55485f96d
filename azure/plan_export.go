package azure

import (
	"strings"
	"time"

	"outlay"
)

// focusVersion is the newest version of FOCUS that Azure exports (clouds.md §3.3 step 6).
const focusVersion = "1.2-preview"

// dataset is the kind of data that the main export should have: what was chosen, else what the export has, else what
// most likely is the best that Azure offers here.
func (pl *planner) dataset() string {
	seen, there := pl.seen.Find(kindExport, pl.n.Export)
	row, had := ledgerNamed(pl.s, kindExport, pl.n.Export)
	switch choice := pl.field(fieldDataset); {
	case choice == datasetFocus:
		return typeFocus
	case choice == datasetPair:
		return typeActual
	case choice == datasetUsage:
		return typeUsage
	case there && isDataset(seen.Properties[propDataset]):
		return seen.Properties[propDataset]
	case had && isDataset(row.Properties[propDataset]):
		return row.Properties[propDataset]
	case scopeKind(pl.n.Scope) == scopeManagement:
		return typeUsage
	case !isBillingScope(pl.n.Scope) && onlyUsage(pl.seen.Identity.Extra[extraQuota]):
		return typeUsage
	}
	return typeFocus
}

func isDataset(t string) bool { return t == typeFocus || t == typeActual || t == typeUsage }

// identity is whether the export should have one of its own: what it has, else what was chosen, else whether the
// credential may give it access.
func (pl *planner) identity() string {
	for _, name := range []string{pl.n.Export, pl.n.Amortized} {
		if seen, there := pl.seen.Find(kindExport, name); there {
			return seen.Properties[propIdentity]
		}
	}
	if choice := pl.field(fieldIdentity); choice != choiceAuto {
		return choice
	}
	if account, there := pl.seen.Find(kindAccount, pl.n.Account); there && account.Properties[propKeys] == off {
		return identitySystem
	}
	for _, m := range pl.seen.Missing() {
		if m.Action == actAssignmentsWrite {
			return identityNone
		}
	}
	return identitySystem
}

// exports plans the standing orders for billing data, and their first run.
func (pl *planner) exports() {
	if pl.blocked(kindGroup, pl.n.Group) || pl.blocked(kindAccount, pl.n.Account) || pl.blocked(kindContainer, pl.n.Container) || pl.unknown(kindExport) {
		return
	}
	main := pl.dataset()
	pl.offer(main)
	made := pl.export(pl.n.Export, main)
	if main == typeActual {
		made = pl.export(pl.n.Amortized, typeAmortized) && made
	}
	if last := len(pl.plan.Changes) - 1; last >= 0 && pl.plan.Changes[last].Kind == kindExport && pl.plan.Changes[last].Action != outlay.ActionKeep {
		pl.plan.Changes[last].Verify = "Check that the export is as wanted"
	}
	if made {
		pl.firstRun(main)
	}
}

// offer says what a data set lacks.
func (pl *planner) offer(set string) {
	_, there := pl.seen.Find(kindExport, pl.n.Export)
	switch {
	case set == typeUsage && pl.field(fieldDataset) == choiceAuto && scopeKind(pl.n.Scope) == scopeManagement:
		pl.note("info", "Azure exports usage alone for a management group: amortized costs are shown as billed costs.")
	case set == typeUsage && pl.field(fieldDataset) == choiceAuto && !there:
		pl.note("info", "The offer of this subscription (%s) most likely has usage alone, and neither FOCUS nor amortized costs. Choose FOCUS under Cost data to try it.", pl.seen.Identity.Extra[extraQuota])
	case set == typeActual && pl.field(fieldDataset) == choiceAuto && there:
		pl.note("info", "Azure refused FOCUS here: actual and amortized costs are exported side by side.")
	}
}

// export plans one export, and tells whether it stands or will stand.
func (pl *planner) export(name, set string) bool {
	seen, there := pl.seen.Find(kindExport, name)
	want := pl.wantedExport(seen, name, set)
	c := outlay.Change{
		Kind: kindExport, Name: name, Title: exportTitle(set), Detail: exportDetail(want),
		To: want, Needs: []string{actExportRead, actExportWrite}, Auto: set == typeAmortized && pl.field(fieldDataset) == choiceAuto,
	}
	if want[propIdentity] == identitySystem {
		c.Needs = append(c.Needs, actAssignmentsWrite)
	}
	switch {
	case there && seen.State == outlay.StateForeign:
		pl.note("block", "An export named %s exists already and was not made by Outlay for this. Remove it in the Azure portal, under Cost Management, Exports.", name)
		return false
	case !there:
		c.Action, c.Step = outlay.ActionCreate, "Create "+exportWords(set)
		c.To["fallback"] = pl.fallback(set)
		if c.To["fallback"] == "" {
			delete(c.To, "fallback")
		}
		pl.add(c)
	default:
		pl.repairExport(c, seen, want)
	}
	return true
}

// fallback are the sets that Apply tries in turn when Azure refuses the first (clouds.md §3.2); a set that was chosen
// by a person has none.
func (pl *planner) fallback(set string) string {
	if set != typeFocus || pl.field(fieldDataset) != choiceAuto {
		return ""
	}
	return typeActual + ", " + typeUsage
}

func exportTitle(set string) string {
	switch set {
	case typeFocus:
		return "Cost export (FOCUS)"
	case typeActual:
		return "Cost export (actual costs)"
	case typeAmortized:
		return "Cost export (amortized costs)"
	}
	return "Cost export (usage)"
}

// exportWords is exportTitle within a sentence.
func exportWords(set string) string {
	return "the " + strings.Replace(exportTitle(set), "Cost", "cost", 1)
}

func exportDetail(want map[string]string) string {
	what := map[string]string{typeFocus: "FOCUS " + want[propVersion], typeActual: "Actual costs", typeAmortized: "Amortized costs", typeUsage: "Usage"}[want[propDataset]]
	how := "written with an identity of its own"
	if want[propIdentity] == identityNone {
		how = "written without an identity of its own"
	}
	return what + ", daily, " + want[propFormat] + ", overwritten with each delivery, " + how
}

// wantedExport are the export's settings as they should be. A version that a person raised stays.
func (pl *planner) wantedExport(seen outlay.Resource, name, set string) map[string]string {
	root := mainRoot
	if name == pl.n.Amortized {
		root = amortizedRoot
	}
	want := map[string]string{
		propDataset: set, propFormat: "Csv", propPack: "gzip", propMode: "OverwritePreviousReport", propSplit: splitYes,
		propFrame: frameMonth, propGrain: grainDaily, propSchedule: scheduleDaily, propTarget: target(pl.n.Account, pl.n.Container, root), propIdentity: pl.identity(),
	}
	if set == typeFocus {
		want[propFormat], want[propPack], want[propVersion] = "Parquet", "snappy", focusVersion
		if strings.HasPrefix(seen.Properties[propVersion], "1.") {
			want[propVersion] = seen.Properties[propVersion]
		}
	}
	return want
}

// repairExport plans what an existing export needs; what its files are in cannot change under the reader's feet.
func (pl *planner) repairExport(c outlay.Change, seen outlay.Resource, want map[string]string) {
	c.Action, c.Step, c.Auto = outlay.ActionUpdate, "Repair "+exportWords(want[propDataset]), false
	c.From, c.To = differences(seen.Properties, want)
	if _, other := c.To[propDataset]; other {
		pl.note("warn", "The export %s holds %s, not %s. Deprovision, then provision again.", c.Name, seen.Properties[propDataset], want[propDataset])
		pl.add(keep(c, "Its kind of data is not changed"))
		return
	}
	if strings.Contains(seen.Properties[propSchedule], "suspended by Azure") {
		pl.note("warn", "Azure reports the export %s as %s.", c.Name, seen.Properties[propSchedule])
	}
	if len(c.To) == 0 {
		pl.add(keep(c, "It is there already"))
		return
	}
	pl.add(c)
}

// firstRun plans the run that brings this month at once, instead of within a day: of every export that never ran.
func (pl *planner) firstRun(set string) {
	if scopeKind(pl.n.Scope) == scopeProfile {
		return // Azure lets no app run an export of a billing profile (clouds.md §3.2)
	}
	c := outlay.Change{
		Action: outlay.ActionCreate, Kind: kindFirstRun, Name: pl.n.Export, Title: "First run", Detail: "This month's costs at once, not within a day",
		Step: "Run the export for the first time", Soft: true, To: map[string]string{"costs of": "this month"}, Needs: []string{actExportRead, actExportRun},
	}
	seen, ran := pl.seen.Find(kindFirstRun, pl.n.Export)
	row, _ := ledgerNamed(pl.s, kindFirstRun, pl.n.Export)
	if set == typeActual {
		_, second := pl.seen.Find(kindExport, pl.n.Amortized)
		ran = ran && second
		c.Auto = pl.field(fieldDataset) == choiceAuto && row.Name != ""
	}
	c.Auto = c.Auto || row.State == outlay.StateWaiting // refused once: Azure's own daily run comes before long
	switch {
	case ran:
		if status := seen.Properties[propLastRun]; status == "Failed" || status == "Timeout" {
			pl.note("warn", "The last run of the export %s ended as %s%s. Azure tries again the next day.", pl.n.Export, status, because(seen.Properties[propRunError]))
		}
		pl.add(keep(c, "It ran already"))
	case row.State == outlay.StateCreated:
		pl.add(keep(c, "It was asked for"))
	default:
		pl.add(c)
	}
}

// inheritance plans the one setting that changes the cost data of everybody; only when asked for.
func (pl *planner) inheritance() {
	if pl.field(fieldInherit) != choiceYes {
		return
	}
	c := outlay.Change{
		Action: outlay.ActionUpdate, Kind: kindInheritance, Name: inheritanceName, Title: "Tag inheritance", Detail: "Costs also carry the tags of resource group and subscription; a resource's own tag wins. It stays on when billing is deprovisioned",
		Step: "Turn on tag inheritance", To: map[string]string{propState: on}, Soft: true, Needs: []string{actSettingsRead, actSettingsWrite},
	}
	if kind := scopeKind(pl.n.Scope); kind == scopeGroup || kind == scopeManagement {
		pl.note("warn", "Azure knows tag inheritance at a subscription, an enrolment and a billing profile only; it is left as it is.")
		return
	}
	seen, looked := pl.seen.Find(kindInheritance, inheritanceName)
	switch {
	case !looked:
	case seen.Properties[propState] == on:
		pl.add(keep(c, "On already"))
	default:
		pl.note("warn", "Tag inheritance changes the cost data of everybody who reads this scope, from this month on.")
		c.From = map[string]string{propState: seen.Properties[propState]}
		pl.add(c)
	}
}

// restates plans the runs that complete the last month, by itself: see observer.due.
func (pl *planner) restates() {
	for _, r := range pl.seen.Resources {
		if r.Kind != kindBackfill || r.Properties[propState] != runRestate {
			continue
		}
		month, name, _, ok := parseBackfill(r.Name)
		if ok {
			c := pl.monthRun(month, name, r.Name)
			c.Title, c.Detail, c.Auto, c.Soft = "Late costs of last month", "Azure rewrites a month by itself on the first five days of the next only", true, true
			pl.add(c)
		}
	}
}

// monthRun is the run of an export for one whole month.
func (pl *planner) monthRun(month time.Time, name, key string) outlay.Change {
	period := outlay.PeriodOf(month)
	return outlay.Change{
		Action: outlay.ActionUpdate, Kind: kindBackfill, Name: key, Title: "Costs of " + string(period), Detail: string(period) + " once more, from the export " + name,
		Step: "Export the costs of " + string(period), To: map[string]string{"from": month.Format(time.DateOnly), "to": month.AddDate(0, 1, -1).Format(time.DateOnly), "export": name},
		Settle: pl.p.settle(kindExport), Needs: []string{actExportRead, actExportRun},
	}
}

// oldest is how far back Azure's API gives costs (clouds.md §3.3 step 8).
const oldest = 7 * 12

// backfill plans the runs that are made on request only: one closed month after the other, the newest first.
func (pl *planner) backfill(from string) (outlay.Plan, error) {
	period, err := outlay.ParsePeriod(from)
	if err != nil {
		return outlay.Plan{}, outlay.AsError(err).InField(fieldBackfill)
	}
	now := pl.seen.At.UTC()
	this := outlay.PeriodOf(now).Start()
	if first := this.AddDate(0, -oldest, 0); period.Start().Before(first) || !period.Start().Before(this) {
		return outlay.Plan{}, outlay.Errorf(outlay.CodeInvalid, "Choose a month from "+first.Format("2006-01")+" to "+this.AddDate(0, -1, 0).Format("2006-01")+".", "Azure has past costs of the last seven years, and this month is exported already").InField(fieldBackfill)
	}
	if scopeKind(pl.n.Scope) == scopeProfile {
		pl.note("block", "Azure lets no app run an export of a billing profile. Ask a person with a billing role to run it for past months in the Azure portal, or provision at the subscription.")
	}
	for month := this.AddDate(0, -1, 0); !month.Before(period.Start()); month = month.AddDate(0, -1, 0) {
		for _, row := range pl.s.Resources {
			if row.Kind == kindExport && stands(row) {
				pl.add(pl.monthRun(month, row.Name, backfillName(outlay.PeriodOf(month), row.Name, now)))
			}
		}
	}
	if len(pl.plan.Changes) == 0 {
		pl.note("block", "There is no export yet. Provision billing first.")
	}
	return pl.plan, nil
}
