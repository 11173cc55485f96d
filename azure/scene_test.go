package azure

import (
	"maps"
	"time"

	"outlay"
)

// The instant of all made-up observations.
func noon() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }

// scene is an observation and a source, to be changed by a test before it is planned.
type scene struct {
	p    *Provider
	s    *outlay.Source
	seen outlay.Observation
	n    names
}

// fresh is a subscription of an enterprise agreement in which nothing exists.
func fresh(fields ...string) *scene {
	sc := &scene{
		p: New(Options{NamingKey: []byte("a key for tests"), InstallationID: "ins_test"}),
		s: &outlay.Source{OrgID: "org_1", ID: "src_1", Origin: outlay.OriginCreated, Desired: outlay.Present, Spec: &outlay.Spec{Region: "westeurope", Fields: map[string]string{}}},
		seen: outlay.Observation{At: noon(), Unknown: map[string]string{}, Identity: outlay.Identity{
			AccountID: testSub, Scope: outlay.BillingScope{ID: "subscriptions/" + testSub, IsPayer: true}, Extra: map[string]string{extraTenant: testTenant, extraQuota: quotaEnterprise, extraState: "Enabled"},
		}},
	}
	for i := 0; i+1 < len(fields); i += 2 {
		sc.s.Spec.Fields[fields[i]] = fields[i+1]
	}
	if scope, err := parseScope(sc.s.Spec.Fields[fieldScope], sc.s.Spec.Fields[fieldScopeID], testSub); err == nil {
		sc.seen.Identity.Scope = scope
	}
	sc.n = sc.p.namesOf(sc.s, sc.seen.Identity)
	sc.registered("NotRegistered")
	return sc
}

func (sc *scene) registered(state string) *scene {
	r := outlay.Resource{Kind: kindRegistration, Name: exportsProvider, Properties: map[string]string{propState: state}}
	for i := range sc.seen.Resources {
		if sc.seen.Resources[i].Key() == r.Key() {
			sc.seen.Resources[i] = r
			return sc
		}
	}
	sc.see(r)
	return sc
}

func (sc *scene) see(r outlay.Resource) { sc.seen.Resources = append(sc.seen.Resources, r) }

func (sc *scene) lacks(actions ...string) *scene {
	for _, a := range actions {
		sc.seen.Permissions = append(sc.seen.Permissions, outlay.Permission{Action: a, Resource: subScope, State: outlay.PermissionDenied, Why: "no role allows it"})
	}
	return sc
}

// done makes everything exist as wanted, with the ledger that goes with it.
func (sc *scene) done() *scene {
	sc.halfDone()
	pl := &planner{p: sc.p, s: sc.s, seen: sc.seen, n: sc.n}
	set := pl.dataset()
	sc.export(sc.n.Export, pl.wantedExport(outlay.Resource{}, sc.n.Export, set))
	if set == typeActual {
		sc.export(sc.n.Amortized, pl.wantedExport(outlay.Resource{}, sc.n.Amortized, typeAmortized))
	}
	sc.live(kindFirstRun, sc.n.Export, "", map[string]string{propLastRun: "Completed"})
	return sc
}

func (sc *scene) export(name string, props map[string]string) {
	props[propPrincipal] = "00000000-0000-4000-a000-000000000001"
	sc.live(kindExport, name, exportID(sc.n.Scope, name), props)
}

// halfDone is a run that stopped before the export.
func (sc *scene) halfDone() *scene {
	sc.registered(stateRegistered)
	sc.s.Resources = append(sc.s.Resources, outlay.Resource{Kind: kindRegistration, Name: exportsProvider, State: outlay.StateVerified, Origin: outlay.PreExisting, OperationID: "op_1"})
	sc.live(kindGroup, sc.n.Group, sc.n.groupID(), map[string]string{propRegion: "westeurope"})
	account := accountSettings()
	account[propRegion], account[propNetwork], account[propKeys] = "westeurope", networkOpen, off
	sc.live(kindAccount, sc.n.Account, sc.n.accountID(), account)
	sc.live(kindContainer, sc.n.Container, sc.n.containerID(), map[string]string{propPublic: off})
	return sc
}

func (sc *scene) live(kind outlay.ResourceKind, name, id string, props map[string]string) {
	created := noon().Add(-time.Hour)
	r := outlay.Resource{Kind: kind, Name: name, ProviderID: id, State: outlay.StateCreated, Owner: sc.p.ourTags(sc.s, "op_1"), Properties: maps.Clone(props)}
	row := outlay.Resource{Kind: kind, Name: name, ProviderID: id, State: outlay.StateVerified, Origin: outlay.CreatedByUs,
		IntentAt: created.Add(-time.Second), OperationID: "op_1", Properties: maps.Clone(props)}
	if kind == kindAccount || kind == kindExport { // Azure tells no time of the others
		r.Created, row.Created = created, created
	}
	sc.see(r)
	sc.s.Resources = append(sc.s.Resources, row)
}

// find is an observed resource, to be changed in place.
func (sc *scene) find(kind outlay.ResourceKind) *outlay.Resource {
	for i := range sc.seen.Resources {
		if sc.seen.Resources[i].Kind == kind {
			return &sc.seen.Resources[i]
		}
	}
	panic("no " + kind)
}

func (sc *scene) row(kind outlay.ResourceKind) *outlay.Resource {
	for i := range sc.s.Resources {
		if sc.s.Resources[i].Kind == kind {
			return &sc.s.Resources[i]
		}
	}
	panic("no row of " + kind)
}

func (sc *scene) down(files outlay.CostFiles) *scene {
	sc.done()
	sc.s.Scope = sc.seen.Identity.Scope
	sc.s.Spec, sc.s.CostFiles = nil, files
	sc.see(outlay.Resource{Kind: kindBlobs, Name: sc.n.Container, Objects: 84, Bytes: 3_100_000_000, Properties: map[string]string{"months": "14 months"}})
	return sc
}

func foreign(kind outlay.ResourceKind, name string) outlay.Resource {
	return outlay.Resource{Kind: kind, Name: name, State: outlay.StateForeign, Properties: map[string]string{propRegion: "westeurope"}}
}

// scenes are the situations whose plans are kept as golden files.
func scenes() map[string]*scene {
	out := map[string]*scene{"up-fresh": fresh(), "up-half-done": fresh().halfDone(), "up-done": fresh().done(), "up-pair": fresh(fieldDataset, datasetPair), "up-pair-done": fresh(fieldDataset, datasetPair).done()}
	upScenes(out)
	wideScenes(out)
	downScenes(out)
	return out
}

func upScenes(out map[string]*scene) {
	drifted := fresh().done()
	drifted.registered("Unregistered")
	drifted.find(kindAccount).Properties[propTLS] = "TLS1_0"
	drifted.find(kindAccount).Properties[propNetwork] = networkClosed
	drifted.find(kindAccount).Properties[propCopy] = "AAD"
	drifted.find(kindContainer).Properties[propPublic] = "blob"
	drifted.find(kindExport).Properties[propSchedule] = "Daily, Inactive, suspended by Azure (StorageGone)"
	drifted.find(kindExport).Properties[propSplit] = splitNo
	drifted.find(kindFirstRun).Properties[propLastRun] = "Failed"
	out["up-drifted"] = drifted

	refused := fresh().done() // FOCUS was refused: actual costs came under its name
	refused.find(kindExport).Properties[propDataset], refused.find(kindExport).Properties[propFormat], refused.find(kindExport).Properties[propPack] = typeActual, "Csv", "gzip"
	out["up-focus-refused"] = refused

	offer := fresh()
	offer.seen.Identity.Extra[extraQuota] = quotaPayAsYouGo
	out["up-usage-offer"] = offer

	keyless := fresh().lacks(actAssignmentsWrite)
	out["up-without-identity"] = keyless
	out["up-no-access-at-all"] = fresh().lacks(actAssignmentsWrite, actKeys)
	out["up-missing-permission"] = fresh().lacks(actGroupWrite, registerAction(exportsProvider), actExportRun)

	alien := fresh()
	alien.see(foreign(kindGroup, alien.n.Group))
	out["up-foreign-group"] = alien
	alien = fresh().halfDone()
	alien.see(foreign(kindExport, alien.n.Export))
	out["up-foreign-export"] = alien

	unseen := fresh()
	unseen.seen.Unknown[string(kindAccount)] = "looking for the storage account: Azure asks for fewer calls"
	out["up-unknown-account"] = unseen

	inherit := fresh(fieldInherit, choiceYes)
	inherit.see(outlay.Resource{Kind: kindInheritance, Name: inheritanceName, State: outlay.StateMissing, Properties: map[string]string{propState: off}})
	out["up-inheritance"] = inherit

	late := fresh().done()
	late.see(outlay.Resource{Kind: kindBackfill, Name: backfillName("2026-10", late.n.Export, time.Date(2026, 11, 12, 0, 0, 0, 0, time.UTC)), State: outlay.StateMissing, Properties: map[string]string{propState: runRestate}})
	out["up-late-costs"] = late
}

func wideScenes(out map[string]*scene) {
	out["up-resource-group"] = fresh(fieldScope, scopeGroup, fieldScopeID, "physics")
	out["up-management-group"] = fresh(fieldScope, scopeManagement, fieldScopeID, "north")
	out["up-enrolment"] = fresh(fieldScope, scopeEnrolment, fieldScopeID, "8608480")
	out["up-billing-profile"] = fresh(fieldScope, scopeProfile, fieldScopeID, "aaaa:bbbb_2019-05-31/PROF-1")
}

func downScenes(out map[string]*scene) {
	out["down-delete"] = fresh().down(outlay.DeleteCostFiles)
	out["down-keep"] = fresh().down(outlay.KeepCostFiles)
	out["down-not-chosen"] = fresh().down("")
	out["down-pair"] = fresh(fieldDataset, datasetPair).down(outlay.DeleteCostFiles)

	full := fresh().down(outlay.DeleteCostFiles)
	full.find(kindBlobs).Foreign = 2
	out["down-foreign-files"] = full

	shared := fresh().down(outlay.DeleteCostFiles)
	shared.find(kindAccount).Foreign = 1
	out["down-foreign-container"] = shared

	inhabited := fresh().down(outlay.DeleteCostFiles)
	inhabited.find(kindGroup).Foreign = 3
	out["down-foreign-resources"] = inhabited

	blind := fresh().down(outlay.DeleteCostFiles)
	blind.seen.Unknown[string(kindBlobs)] = "listing the delivered files: Azure refused " + actBlobsRead
	blind.seen.Resources = blind.seen.Resources[:len(blind.seen.Resources)-1]
	out["down-blind"] = blind

	older := fresh().down(outlay.DeleteCostFiles)
	older.find(kindAccount).Created, older.row(kindAccount).Created = noon().Add(-48*time.Hour), time.Time{}
	out["down-older-account"] = older

	nothing := fresh().down(outlay.DeleteCostFiles)
	nothing.seen.Resources = nil
	out["down-nothing-left"] = nothing

	inherited := fresh().down(outlay.KeepCostFiles)
	inherited.s.Resources = append(inherited.s.Resources, outlay.Resource{Kind: kindInheritance, Name: inheritanceName, State: outlay.StateVerified, Origin: outlay.PreExisting})
	out["down-inheritance"] = inherited
}

// changes lists a plan's changes, for tests that look at few of them.
func (sc *scene) changes() (outlay.Plan, error) { return sc.p.Plan(sc.s, sc.seen) }
