package azure

import (
	"fmt"
	"time"

	"github.com/dustin/go-humanize"

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
	} else {
		pl.downStorage()
	}
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
		Step: "Delete " + exportWords(set), From: map[string]string{"id": live.ProviderID},
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

// downStorage plans the storage account with its container, and the resource group: what is kept keeps what is around
// it. Deleting the account ends deliveries that are under way, too.
func (pl *planner) downStorage() {
	contents, _ := pl.seen.Find(kindBlobs, pl.n.Container)
	container := outlay.Change{
		Action: outlay.ActionDelete, Kind: kindContainer, Name: pl.n.Container, Title: "Container with the delivered cost files", Detail: pl.n.Container, Holds: holds(contents),
		Step: "Delete the container with the delivered files", Needs: []string{actContainerRead, actBlobsRead, actContainerDelete},
	}
	account := outlay.Change{
		Action: outlay.ActionDelete, Kind: kindAccount, Name: pl.n.Account, Title: "Storage account with the delivered cost files", Detail: pl.n.Account + " and everything in it", Holds: holds(contents),
		Step: "Delete the storage account with the delivered files", Needs: []string{actAccountRead, actContainerRead, actBlobsRead, actAccountDelete},
	}
	group := outlay.Change{
		Action: outlay.ActionDelete, Kind: kindGroup, Name: pl.n.Group, Title: "Resource group", Detail: pl.n.Group,
		Step: "Delete the resource group", Look: "Look at the resource group again", Verify: "Wait until the resource group is gone", Needs: []string{actGroupRead, actResourcesRead, actGroupDelete},
	}
	inContainer := pl.containerStays(container, contents)
	inAccount := orElse(keepsAround(inContainer), pl.stays(account, "container", "containers"))
	if _, there := pl.seen.Find(kindContainer, pl.n.Container); there && inContainer == "" && inAccount != "" {
		pl.add(container) // others use the account: our part of it goes
	} else if there && inContainer != "" {
		pl.keepPart(container, inContainer)
	}
	pl.goesOrStays(account, inAccount)
	pl.goesOrStays(group, orElse(keepsAround(inAccount), pl.stays(group, "resource", "resources")))
}

// keepsAround says why something stays around a part that stays.
func keepsAround(part string) string {
	switch part {
	case "", chosen:
		return part
	}
	return around
}

// around is why something stays that holds a part that stays.
const around = "what it holds is kept"

// containerStays says why the container with what was delivered is not deleted; "" when it is, or is not there.
func (pl *planner) containerStays(c outlay.Change, contents outlay.Resource) string {
	live, there := pl.seen.Find(kindContainer, c.Name)
	switch {
	case pl.unknown(kindContainer):
		return "its container could not be looked at"
	case !there:
		return ""
	case pl.s.CostFiles != outlay.DeleteCostFiles:
		return chosen
	case pl.unknown(kindBlobs):
		pl.note("block", "Outlay could not count what would be deleted: %s. Check again in a moment, or keep the files.", pl.seen.Unknown[string(kindBlobs)])
		return "its contents could not be looked at"
	case contents.Foreign > 0:
		return fmt.Sprintf("it holds %s that Outlay did not put there", plural(int(contents.Foreign), "file", "files"))
	}
	return pl.p.mayDelete(pl.s, live)
}

// chosen is why files stay that a person wants to keep.
const chosen = "its files are kept, as chosen"

// stays says why something is not deleted for itself; "" when it is, or is not there.
func (pl *planner) stays(c outlay.Change, one, many string) string {
	live, there := pl.seen.Find(c.Kind, c.Name)
	unread, blind := pl.seen.Unknown[map[outlay.ResourceKind]string{kindAccount: partContainers, kindGroup: partGroup}[c.Kind]]
	switch {
	case pl.unknown(c.Kind):
		return "it could not be looked at"
	case !there:
		return ""
	case blind:
		return "what it holds could not be looked at: " + unread
	case live.Foreign > 0:
		return fmt.Sprintf("it holds %s that Outlay did not put there", plural(int(live.Foreign), one, many))
	}
	return pl.p.mayDelete(pl.s, live)
}

// goesOrStays plans a deletion, or lists what is kept with the reason.
func (pl *planner) goesOrStays(c outlay.Change, stays string) {
	if _, there := pl.seen.Find(c.Kind, c.Name); !there {
		return
	}
	if stays == "" {
		pl.add(c)
		return
	}
	pl.keepPart(c, stays)
}

// keepPart lists a part that is kept; a person's own choice is no warning.
func (pl *planner) keepPart(c outlay.Change, why string) {
	if pl.s.CostFiles == outlay.DeleteCostFiles && why != around {
		pl.keepForeign(c, why)
		return
	}
	pl.add(keep(c, "Kept: "+why))
}

// leftAlone lists what stays in Azure after the set-up is gone, of what was done at all.
func (pl *planner) leftAlone() {
	if row, ok := ledgerRow(pl.s, kindRegistration); ok && done(row) {
		pl.add(outlay.Change{Action: outlay.ActionKeep, Kind: kindRegistration, Name: row.Name, Title: "Registration of " + row.Name, Detail: "It stays. Other exports of this subscription may rely on it."})
	}
	if row, ok := ledgerRow(pl.s, kindInheritance); ok && done(row) {
		pl.add(outlay.Change{Action: outlay.ActionKeep, Kind: kindInheritance, Name: row.Name, Title: "Tag inheritance", Detail: "It stays on: turning it off would change the cost data of everybody who reads this scope."})
	}
}

// holds tells how much was found in a resource; "" where nothing was.
func holds(contents outlay.Resource) string {
	if contents.Objects == 0 {
		return ""
	}
	return contents.Properties["months"] + ", " + humanize.Bytes(uint64(contents.Bytes))
}
