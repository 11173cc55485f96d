package azure

import (
	"outlay"
)

// blocked tells whether a part is somebody else's or could not be looked at; what builds on it is not planned then.
func (pl *planner) blocked(kind outlay.ResourceKind, name string) bool {
	r, there := pl.seen.Find(kind, name)
	return pl.unknown(kind) || there && r.State == outlay.StateForeign
}

// found plans nothing for a part that is there: it is ours and kept, or somebody else's and blocks. It tells whether
// there is one.
func (pl *planner) found(c outlay.Change) bool {
	seen, there := pl.seen.Find(c.Kind, c.Name)
	switch {
	case pl.unknown(c.Kind):
		return true
	case there && seen.State == outlay.StateForeign:
		pl.note("block", "%s %s exists already and was not made by Outlay for this. Nothing in it is touched. Move or rename it in the Azure portal.", c.Title, c.Name)
		return true
	}
	return there
}

// group plans the resource group, which is born with our tags.
func (pl *planner) group() {
	c := outlay.Change{
		Action: outlay.ActionCreate, Kind: kindGroup, Name: pl.n.Group, Title: "Resource group", Detail: pl.n.Group + " in " + pl.n.Region,
		Step: "Create the resource group", To: pl.tagged(map[string]string{propRegion: pl.n.Region}), Needs: []string{actGroupRead, actGroupWrite},
	}
	if !pl.found(c) {
		pl.add(c)
	} else if !pl.blocked(kindGroup, pl.n.Group) {
		pl.add(keep(c, "It is there already"))
	}
}

// tagged adds the tags to what a resource is created with, so that the plan shows them.
func (pl *planner) tagged(to map[string]string) map[string]string {
	for k, v := range pl.p.ourTags(pl.s, "") {
		to["tag "+k] = v
	}
	return to
}

// account plans the storage account.
func (pl *planner) account() {
	if pl.blocked(kindGroup, pl.n.Group) {
		return
	}
	c := outlay.Change{
		Action: outlay.ActionCreate, Kind: kindAccount, Name: pl.n.Account, Title: "Storage account", Detail: pl.n.Account + " in " + pl.n.Region + ", locally redundant, private",
		Step: "Create the storage account", Look: "Look for the storage account", Needs: []string{actAccountRead, actNameCheck, actAccountWrite},
	}
	want := accountSettings()
	if !pl.found(c) {
		want[propRegion], want[propKeys] = pl.n.Region, off
		if pl.identity() == identityNone {
			want[propKeys] = on // Azure writes with the account's key then
		}
		c.To = pl.tagged(want)
		pl.add(c)
		return
	}
	if pl.blocked(kindAccount, pl.n.Account) {
		return
	}
	seen, _ := pl.seen.Find(kindAccount, pl.n.Account)
	pl.delivery(seen)
	if _, ordered := pl.seen.Find(kindExport, pl.n.Export); !ordered && pl.identity() == identityNone {
		want[propKeys] = on // it was made for an export with an identity, and another was asked for since
	}
	c.From, c.To = differences(seen.Properties, want)
	if len(c.To) == 0 {
		pl.add(keep(c, "It is there already"))
		return
	}
	c.Action, c.Step, c.Look, c.Soft, c.Needs = outlay.ActionUpdate, "Repair the storage account's settings", "", true, []string{actAccountRead, actAccountWrite}
	pl.add(c)
}

// accountSettings are the settings that keep the storage account private.
func accountSettings() map[string]string {
	return map[string]string{propPublic: off, propTLS: "TLS1_2", propHTTPS: on}
}

// delivery warns of settings that keep Azure's deliveries out; they may be there for a reason, so they stay.
func (pl *planner) delivery(seen outlay.Resource) {
	export, _ := pl.seen.Find(kindExport, pl.n.Export)
	switch network := seen.Properties[propNetwork]; {
	case network == networkOff || network == networkClosed:
		pl.note("warn", "The storage account's network access is %q: Azure cannot deliver into it. Let trusted Azure services pass its firewall.", network)
	case network == networkTrusted && export.Properties[propIdentity] == identityNone:
		pl.note("warn", "The storage account has a firewall and the export has no identity of its own: Azure cannot deliver into it. Open the firewall, or deprovision and provision with an identity.")
	}
	if scope := seen.Properties[propCopy]; scope != "" {
		pl.note("warn", "The storage account allows copies from %s only: Azure cannot deliver into it. Set its permitted scope for copy operations to any storage account.", scope)
	}
	if seen.Properties[propKeys] == off && export.Properties[propIdentity] == identityNone {
		pl.note("warn", "The storage account refuses shared keys and the export has no identity of its own: Azure cannot deliver into it. Allow shared keys, or deprovision and provision with an identity.")
	}
}

// container plans the container.
func (pl *planner) container() {
	if pl.blocked(kindGroup, pl.n.Group) || pl.blocked(kindAccount, pl.n.Account) {
		return
	}
	want := map[string]string{propPublic: off}
	c := outlay.Change{
		Action: outlay.ActionCreate, Kind: kindContainer, Name: pl.n.Container, Title: "Container", Detail: pl.n.Container + " in the storage account of the same name, private",
		Step: "Create the container", To: pl.tagged(map[string]string{propPublic: off}), Needs: []string{actContainerRead, actContainerWrite},
	}
	if !pl.found(c) {
		pl.add(c)
		return
	}
	if pl.blocked(kindContainer, pl.n.Container) {
		return
	}
	seen, _ := pl.seen.Find(kindContainer, pl.n.Container)
	c.From, c.To = differences(seen.Properties, want)
	if len(c.To) == 0 {
		pl.add(keep(c, "It is there already"))
		return
	}
	c.Action, c.Step, c.Soft = outlay.ActionUpdate, "Make the container private", true
	pl.add(c)
}
