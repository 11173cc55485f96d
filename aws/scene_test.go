package aws

import (
	"maps"
	"strings"
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

// fresh is a payer account in which nothing exists.
func fresh() *scene {
	sc := &scene{
		p: New(Options{NamingKey: []byte("a key for tests"), InstallationID: "ins_test"}),
		s: &outlay.Source{OrgID: "org_1", ID: "src_1", Spec: &outlay.Spec{Region: "eu-central-1", Tags: []string{"Project", "User"}}},
		seen: outlay.Observation{At: noon(), Unknown: map[string]string{}, Identity: outlay.Identity{
			AccountID: payerAccount, Scope: outlay.BillingScope{ID: payerAccount, IsPayer: true}, Extra: map[string]string{extraPartition: "aws", extraKind: payer},
		}},
	}
	sc.n = sc.p.namesOf(sc.s, sc.seen.Identity)
	sc.see(outlay.Resource{Kind: kindTable, Name: tableFocus12, Properties: map[string]string{propColumns: strings.Join(append(focusColumns(), "x_New"), ", ")}})
	sc.tag("Project", tagInactive)
	sc.tag("User", tagUnseen)
	return sc
}

func (sc *scene) see(r outlay.Resource) { sc.seen.Resources = append(sc.seen.Resources, r) }

func (sc *scene) tag(key, status string) {
	for i, r := range sc.seen.Resources {
		if r.Kind == kindTag && r.Name == key {
			sc.seen.Resources[i].Properties = map[string]string{propStatus: status}
			return
		}
	}
	sc.see(outlay.Resource{Kind: kindTag, Name: key, Properties: map[string]string{propStatus: status}})
}

// done makes everything exist as wanted, with the ledger that goes with it.
func (sc *scene) done() *scene {
	sc.halfDone()
	props := (&planner{p: sc.p, s: sc.s, seen: sc.seen, n: sc.n}).wantedExport(outlay.Resource{})
	sc.live(kindExport, sc.n.Export, "arn:aws:bcm-data-exports:us-east-1:"+payerAccount+":export/"+sc.n.Export+"-1", props)
	sc.tag("Project", tagActive)
	sc.tag("User", tagActivating)
	return sc
}

// halfDone is a run that stopped before the export.
func (sc *scene) halfDone() *scene {
	arn := "arn:aws:s3:::" + sc.n.Bucket
	sc.live(kindBucket, sc.n.Bucket, arn, map[string]string{propRegion: "eu-central-1"})
	sc.live(kindAccess, sc.n.Bucket, arn, map[string]string{propPublic: publicBlocked, propOwnership: ownerEnforced})
	sc.live(kindSettings, sc.n.Bucket, arn, map[string]string{propEncryption: encryptionS3, propUploads: uploadsRemoved})
	sc.live(kindPolicy, sc.n.Bucket, arn, wantedStatements(sc.n))
	return sc
}

func (sc *scene) live(kind outlay.ResourceKind, name, id string, props map[string]string) {
	created := noon().Add(-time.Hour)
	sc.see(outlay.Resource{Kind: kind, Name: name, ProviderID: id, Created: created, State: outlay.StateCreated, Owner: sc.p.ourTags(sc.s, "op_1"), Properties: maps.Clone(props)})
	sc.s.Resources = append(sc.s.Resources, outlay.Resource{Kind: kind, Name: name, ProviderID: id, State: outlay.StateVerified, Origin: outlay.CreatedByUs,
		IntentAt: created.Add(-time.Second), OperationID: "op_1", Properties: map[string]string{propRegion: "eu-central-1"}})
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
	sc.s.Spec, sc.s.CostFiles = nil, files
	sc.s.Resources = append(sc.s.Resources, outlay.Resource{Kind: kindTag, Name: "Project", State: outlay.StateVerified})
	sc.see(outlay.Resource{Kind: kindObjects, Name: sc.n.Bucket, Objects: 84, Bytes: 3_100_000_000, Properties: map[string]string{"months": "14 months"}})
	return sc
}

// scenes are the situations whose plans are kept as golden files.
func scenes() map[string]*scene {
	out := map[string]*scene{"up-fresh": fresh(), "up-half-done": fresh().halfDone(), "up-done": fresh().done()}

	drifted := fresh().done()
	drifted.find(kindAccess).Properties[propPublic] = "BlockPublicPolicy off"
	drifted.find(kindSettings).Properties[propUploads] = "kept"
	drifted.find(kindPolicy).Properties[sidDeliver] = `{"Sid":"` + sidDeliver + `"}`
	drifted.find(kindExport).Properties[propStatus] = "UNHEALTHY (INSUFFICIENT_PERMISSION)"
	drifted.find(kindExport).Properties[propColumns] = "BilledCost"
	drifted.tag("Project", tagInactive)
	out["up-drifted"] = drifted

	inMember := fresh()
	inMember.seen.Identity.Scope = outlay.BillingScope{ID: aloneAccount}
	inMember.seen.Identity.Extra[extraKind], inMember.seen.Identity.Extra[extraPayerEmail] = member, "billing@example.org"
	out["up-member"] = inMember

	lacking := fresh()
	lacking.seen.Permissions = []outlay.Permission{
		{Action: "s3:CreateBucket", State: outlay.PermissionDenied, Why: "no policy allows it"}, {Action: "s3:PutEncryptionConfiguration", State: outlay.PermissionDenied},
		{Action: "s3:ListBucket", State: outlay.PermissionGranted}, {Action: "s3:GetObject", State: outlay.PermissionUnknown},
	}
	out["up-missing-permission"] = lacking

	foreign := fresh()
	foreign.see(outlay.Resource{Kind: kindBucket, Name: foreign.n.Bucket, State: outlay.StateForeign, Properties: map[string]string{propRegion: "eu-central-1"}})
	out["up-foreign-bucket"] = foreign

	unseen := fresh()
	unseen.seen.Unknown[string(kindBucket)] = "looking for the bucket: AWS asks for fewer calls"
	out["up-unknown-bucket"] = unseen

	out["down-delete"] = fresh().down(outlay.DeleteCostFiles)
	out["down-keep"] = fresh().down(outlay.KeepCostFiles)
	out["down-not-chosen"] = fresh().down("")

	unread := fresh().down(outlay.DeleteCostFiles)
	unread.seen.Resources = unread.seen.Resources[:len(unread.seen.Resources)-1]
	unread.seen.Unknown[string(kindObjects)] = "listing what is in the bucket: AWS asks for fewer calls"
	out["down-unread-objects"] = unread

	full := fresh().down(outlay.DeleteCostFiles)
	full.find(kindObjects).Foreign = 2
	out["down-foreign-objects"] = full

	strange := fresh().down(outlay.DeleteCostFiles)
	strange.find(kindBucket).Created = noon().Add(-48 * time.Hour)
	strange.row(kindExport).ProviderID = "arn:aws:bcm-data-exports:us-east-1:1:export/another"
	out["down-older-bucket"] = strange

	nothing := fresh().down(outlay.DeleteCostFiles)
	nothing.seen.Resources = nil
	out["down-nothing-left"] = nothing
	return out
}
