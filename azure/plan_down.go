package azure

import (
	"fmt"
	"math"
	"time"

	"outlay"
)

// skew is how much Azure's clock and ours may differ when a creation is held against our intent (architecture.md
// ruling 3).
const skew = 15 * time.Minute

// down plans toward nothing: first the standing orders, then what was delivered with what holds it, if that is the
// choice (clouds.md §3.6). Only what our ledger says we created, and what bears our marks, is deleted; everything else
// is listed as kept.
func (pl *planner) down() (outlay.Plan, error) {
	pl.missing()
	pl.unseen()
	for _, name := range []string{pl.n.Export, pl.n.Amortized} {
		pl.downExport(name)
	}
	if pl.s.CostFiles == "" {
		pl.note("block", "Choose whether the delivered cost files are deleted or kept.")
	}
	pl.downStorage()
	pl.leftAlone()
	return pl.plan, nil
}

// mayDelete tells whether a live resource is ours by all three marks: our ledger row, our marks on it, and a creation
// that is not before our intent and is the one that we saw. Where Azure tells no creation time, the mark of the operation
// that made it stands in. why says what is wrong.
func (p *Provider) mayDelete(s *outlay.Source, live outlay.Resource) (why string) {
	row, ok := ledgerNamed(s, live.Kind, live.Name)
	switch {
	case !ok || row.Origin != outlay.CreatedByUs || row.IntentAt.IsZero():
		return "Outlay has no record of creating it"
	case live.State == outlay.StateForeign || !p.ours(s, live.Owner):
		return "it does not carry Outlay's marks"
	case !row.Created.IsZero() && !live.Created.IsZero() && !sameTime(row.Created, live.Created):
		return "it is another one than Outlay created"
	case live.Created.IsZero() && (row.OperationID == "" || live.Owner[tagOperation] != row.OperationID):
		return "nothing shows that this is the one that Outlay created"
	case !live.Created.IsZero() && live.Created.Before(row.IntentAt.Add(-skew)):
		return "it is older than Outlay's own"
	}
	return ""
}

// sameTime compares times that went through the ledger, which keeps microseconds.
func sameTime(a, b time.Time) bool {
	return a.Truncate(time.Millisecond).Equal(b.Truncate(time.Millisecond))
}

// keepForeign lists a thing that is left alone, and says why.
func (pl *planner) keepForeign(c outlay.Change, why string) {
	pl.add(keep(c, "Kept: "+why))
	pl.note("warn", "%s %s is kept: %s.", c.Title, c.Name, why)
}

func (pl *planner) downExport(name string) {
	live, there := pl.seen.Find(kindExport, name)
	if !there || pl.unknown(kindExport) {
		return
	}
	set := live.Properties[propDataset]
	c := outlay.Change{
		Action: outlay.ActionDelete, Kind: kindExport, Name: name, Title: exportTitle(set), Detail: "Azure stops delivering",
		Step: "Delete " + exportWords(set), Verify: "Wait until deliveries stop", From: map[string]string{"id": live.ProviderID},
		Needs: []string{actExportRead, actExportDelete, actAssignmentsRead, actAssignmentsDel},
	}
	if why := pl.p.mayDelete(pl.s, live); why != "" {
		pl.keepForeign(c, why)
		return
	}
	if live.Properties[propIdentity] == identitySystem {
		c.Detail += "; its identity loses its access to the storage account"
	}
	pl.add(c)
}

// downStorage plans the container, the storage account and the resource group, from the inside out: what is kept keeps
// what is around it.
func (pl *planner) downStorage() {
	group := outlay.Change{
		Action: outlay.ActionDelete, Kind: kindGroup, Name: pl.n.Group, Title: "Resource group", Detail: pl.n.Group,
		Step: "Delete the resource group", Look: "Check that the resource group is empty", Needs: []string{actGroupRead, actResourcesRead, actGroupDelete},
	}
	account := outlay.Change{
		Action: outlay.ActionDelete, Kind: kindAccount, Name: pl.n.Account, Title: "Storage account", Detail: pl.n.Account,
		Step: "Delete the storage account", Needs: []string{actAccountRead, actContainerRead, actAccountDelete},
	}
	why := pl.downContainer()
	why = pl.downPart(account, why, "container", "containers")
	pl.downPart(group, why, "resource", "resources")
}

// downContainer plans the container with what was delivered into it, and tells why it stays.
func (pl *planner) downContainer() (stays string) {
	contents, counted := pl.seen.Find(kindBlobs, pl.n.Container)
	c := outlay.Change{
		Action: outlay.ActionDelete, Kind: kindContainer, Name: pl.n.Container, Title: "Container with the delivered cost files", Detail: pl.n.Container + " in " + pl.n.Account + sizeText(contents),
		Step: "Delete the container with the delivered files", From: sizes(contents), Needs: []string{actContainerRead, actBlobsRead, actContainerDelete},
	}
	live, there := pl.seen.Find(kindContainer, pl.n.Container)
	switch {
	case pl.unknown(kindContainer):
		return "its container could not be looked at"
	case !there:
		return ""
	case pl.unknown(kindBlobs):
		pl.note("block", "Outlay could not count what would be deleted: %s. Check again in a moment, or keep the files.", pl.seen.Unknown[string(kindBlobs)])
		return "its contents could not be looked at"
	case pl.s.CostFiles != outlay.DeleteCostFiles:
		if pl.s.CostFiles == outlay.KeepCostFiles {
			pl.add(keep(c, "Kept with its files, as chosen"+sizeText(contents)))
		}
		return "it holds the delivered files"
	}
	why := pl.p.mayDelete(pl.s, live)
	if why == "" && counted && contents.Foreign > 0 {
		why = fmt.Sprintf("it holds %s that Outlay did not put there", plural(int(contents.Foreign), "file", "files"))
	}
	if why != "" {
		pl.keepForeign(c, why)
		return "its container is kept"
	}
	pl.add(c)
	return ""
}

// downPart plans the deletion of what holds the others; stays says why one of those is kept.
func (pl *planner) downPart(c outlay.Change, stays, one, many string) string {
	live, there := pl.seen.Find(c.Kind, c.Name)
	if pl.unknown(c.Kind) {
		return "what it holds could not be looked at"
	}
	if !there {
		return stays
	}
	if pl.s.CostFiles == "" {
		return "it holds the delivered files"
	}
	why := pl.p.mayDelete(pl.s, live)
	unread, blind := pl.seen.Unknown[map[outlay.ResourceKind]string{kindAccount: "containers", kindGroup: "group contents"}[c.Kind]]
	switch {
	case stays != "" && pl.s.CostFiles == outlay.KeepCostFiles && why == "":
		pl.add(keep(c, "Kept: "+stays))
		return stays
	case why != "":
	case stays != "":
		why = stays
	case blind:
		why = "what it holds could not be looked at: " + unread
	case live.Foreign > 0:
		why = fmt.Sprintf("it holds %s that Outlay did not put there", plural(int(live.Foreign), one, many))
	default:
		pl.add(c)
		return ""
	}
	pl.keepForeign(c, why)
	return "what it holds is kept"
}

// leftAlone lists what stays in Azure after the set-up is gone.
func (pl *planner) leftAlone() {
	if row, ok := ledgerRow(pl.s, kindRegistration); ok {
		pl.add(outlay.Change{Action: outlay.ActionKeep, Kind: kindRegistration, Name: row.Name, Title: "Registration of " + row.Name, Detail: "It stays. Other exports of this subscription may rely on it."})
	}
	if row, ok := ledgerRow(pl.s, kindInheritance); ok {
		pl.add(outlay.Change{Action: outlay.ActionKeep, Kind: kindInheritance, Name: row.Name, Title: "Tag inheritance", Detail: "It stays on: turning it off would change the cost data of everybody who reads this scope."})
	}
}

// sizes and sizeText are coarse on purpose: a plan that is shown must still be the same when it is confirmed, though
// Azure delivers in between.
func sizes(contents outlay.Resource) map[string]string {
	if contents.Objects == 0 {
		return nil
	}
	return map[string]string{"size": "about " + byteText(contents.Bytes), "months": contents.Properties["months"]}
}

func sizeText(contents outlay.Resource) string {
	if contents.Objects == 0 {
		return ""
	}
	return fmt.Sprintf(": %s, about %s", contents.Properties["months"], byteText(contents.Bytes))
}

// byteText is a size to one significant digit, as '300 KB'.
func byteText(n int64) string {
	units := []string{"bytes", "KB", "MB", "GB", "TB"}
	f, i := float64(n), 0
	for f >= 1000 && i < len(units)-1 {
		f, i = f/1000, i+1
	}
	for step := 100.0; step > 1; step /= 10 {
		if f >= step {
			f = math.Round(f/step) * step
			break
		}
	}
	return fmt.Sprintf("%.0f %s", f, units[i])
}
