package outlaytest

import (
	"context"
	"testing"
	"time"

	"outlay"
)

func account(o tenant, id, name string) outlay.CloudAccount {
	return outlay.CloudAccount{
		OrgID: o.id, ID: id, Name: name, Provider: "nimbus",
		Credential: outlay.Credential{Kind: "key", Values: map[string]string{"id": "public"}, Sealed: map[string]outlay.Sealed{"secret": "c2VhbGVk"}, Version: 3, UpdatedAt: noon()},
		Identity: outlay.Identity{AccountID: "1234", Principal: "role/x", Scope: outlay.BillingScope{ID: "payer", Name: "Payer", IsPayer: true},
			Extra: map[string]string{"partition": "p"}},
		Status: outlay.BillingStatus{Status: outlay.Provisioned, Reason: "Seen.", At: noon(), Since: noon(), Via: "src_1", OwnerID: "acc_1", CouldNotCheckSince: after(1),
			CouldNotCheckWhy: "throttled", DataThrough: after(2), DeliveredAt: after(3), NextLook: after(60), Axes: []outlay.Axis{{Name: "data", State: outlay.AxisGood, Reason: "r", At: noon()}}},
		CreatedAt: noon(),
	}
}

func putAccount(a outlay.CloudAccount) func(context.Context, outlay.Tx) error {
	return func(ctx context.Context, tx outlay.Tx) error { return tx.PutAccount(ctx, a) }
}

func source(o tenant, id, scope string) outlay.Source {
	return outlay.Source{OrgID: o.id, ID: id, Name: "Source " + id, Provider: "nimbus", AccountID: "acc_1", Scope: outlay.BillingScope{ID: scope, Name: "Scope", IsPayer: true},
		Origin: outlay.OriginCreated, Spec: &outlay.Spec{Region: "r-1", Fields: map[string]string{"a": "b"}, Tags: outlay.TagKeys()}, CostFiles: outlay.KeepCostFiles,
		Desired: outlay.Present, CreatedAt: noon()}
}

func putSource(s outlay.Source) func(context.Context, outlay.Tx) error {
	return func(ctx context.Context, tx outlay.Tx) error { return tx.PutSource(ctx, s) }
}

// withSource is an organization with the account acc_1 and the source src_1 on the scope 'payer'.
func withSource(t *testing.T, s outlay.Store, org string) tenant {
	t.Helper()
	o := newTenant(t, s, org)
	o.write(putAccount(account(o, "acc_1", "main")))
	o.write(putSource(outlay.Source{ID: "src_1"})) // bare first: then every field must be updated
	o.write(putSource(source(o, "src_1", "payer")))
	return o
}

func storeAccounts(t *testing.T, s outlay.Store) {
	o := newTenant(t, s, "org_a")
	zeta := filled(t, account(o, "acc_1", "zeta"))
	alpha := outlay.CloudAccount{OrgID: o.id, ID: "acc_2", Name: "alpha", Provider: "nimbus"} // nothing known yet
	o.write(putAccount(outlay.CloudAccount{ID: zeta.ID, Name: "first"}))                      // bare first: then every field must be updated
	o.write(putAccount(zeta))
	o.write(putAccount(alpha))
	get := func(id string) (outlay.CloudAccount, error) {
		return tryRead(o, func(ctx context.Context, tx outlay.Tx) (outlay.CloudAccount, error) { return tx.Account(ctx, id) })
	}
	all := func() []outlay.CloudAccount {
		return read(o, func(ctx context.Context, tx outlay.Tx) ([]outlay.CloudAccount, error) { return tx.Accounts(ctx) })
	}
	got, err := get("acc_1")
	if err != nil {
		t.Fatal(err)
	}
	same(t, "account", zeta, got)
	same(t, "accounts by name", []outlay.CloudAccount{alpha, zeta}, all())
	_ = o.refuse(outlay.CodeConflict, putAccount(account(o, "acc_3", "alpha"))) // the name is taken
	alpha.Name = "zeta"
	_ = o.refuse(outlay.CodeConflict, putAccount(alpha)) // also for one that exists

	remove := func(id string) func(context.Context, outlay.Tx) error {
		return func(ctx context.Context, tx outlay.Tx) error { return tx.DeleteAccount(ctx, id) }
	}
	src := source(o, "src_1", "payer")
	o.write(putSource(src))
	_ = o.refuse(outlay.CodeConflict, remove("acc_1")) // its source is wanted
	src.Desired, src.Spec = outlay.Absent, nil
	o.write(putSource(src))
	op := addOperation(o, operation(o, "op_1", "payer"))
	_ = o.refuse(outlay.CodeConflict, remove("acc_1")) // an operation on it is active
	op.Status = outlay.OpDone
	o.write(putOperation(op))
	o.write(remove("acc_1"))
	if _, err := get("acc_1"); outlay.CodeOf(err) != outlay.CodeNotFound {
		t.Errorf("a removed account: %v", err)
	}
	_ = o.refuse(outlay.CodeNotFound, remove("acc_1"))
	_ = o.refuse(outlay.CodeConflict, putAccount(zeta)) // a look that was under way does not bring it back
	o.write(putAccount(account(o, "acc_4", "zeta")))    // its name is free
	kept, err := tryRead(o, func(ctx context.Context, tx outlay.Tx) (outlay.Operation, error) { return tx.Operation(ctx, "op_1") })
	if err != nil || kept.AccountID != "acc_1" {
		t.Errorf("history of a removed account: %+v, %v", kept, err)
	}
}

func storeSources(t *testing.T, s outlay.Store) {
	o := withSource(t, s, "org_a")
	want := filled(t, source(o, "src_1", "payer"), "Resources")
	get := func(id string) outlay.Source {
		t.Helper()
		return read(o, func(ctx context.Context, tx outlay.Tx) (outlay.Source, error) { return tx.Source(ctx, id) })
	}
	same(t, "source", want, get("src_1"))

	// One wanted source of ours per (provider, scope); others are free.
	_ = o.refuse(outlay.CodeConflict, putSource(source(o, "src_2", "payer")))
	for id, change := range map[string]func(*outlay.Source){
		"src_3": func(s *outlay.Source) { s.Scope.ID = "other" },
		"src_4": func(s *outlay.Source) { s.Provider = "cumulus" },
		"src_5": func(s *outlay.Source) { s.Origin = outlay.OriginImported },
		"src_6": func(s *outlay.Source) { s.Desired = outlay.Absent },
		"src_7": func(s *outlay.Source) {
			*s = outlay.Source{OrgID: o.id, ID: s.ID, Origin: outlay.OriginFiles, Desired: outlay.Present}
		},
	} {
		src := source(o, id, "payer")
		change(&src)
		o.write(putSource(src))
		same(t, id, src, get(id))
	}
	again := source(o, "src_6", "payer")
	_ = o.refuse(outlay.CodeConflict, putSource(again)) // wanted again while src_1 is
	want.Desired, want.Spec = outlay.Absent, nil
	o.write(putSource(want))
	same(t, "nothing wanted", want, get("src_1"))
	o.write(putSource(again))
	_ = o.refuse(outlay.CodeNotFound, func(ctx context.Context, tx outlay.Tx) error { _, err := tx.Source(ctx, "src_none"); return err })
	storeResources(t, o)
	storeCoverage(t, o)
}

func storeResources(t *testing.T, o tenant) {
	op := addOperation(o, operation(o, "op_1", "payer"))
	bucket := filled(t, outlay.Resource{OrgID: o.id, SourceID: "src_1", Kind: "nimbus/bucket", Name: "b", State: outlay.StateIntended, Origin: outlay.CreatedByUs,
		ProviderID: "urn:b", Created: noon(), IntentAt: after(1), NotBefore: after(2), LastSeen: after(3), OperationID: op.ID, Properties: map[string]string{"x": "y"},
		Owner: map[string]string{"outlay:source": "src_1"}, Objects: 1, Bytes: 2 << 40, Foreign: 3, LastError: "none"})
	export := outlay.Resource{OrgID: o.id, SourceID: "src_1", Kind: "nimbus/export", Name: "b", State: outlay.StatePlanned}
	other := outlay.Resource{OrgID: o.id, SourceID: "src_3", Kind: "nimbus/bucket", Name: "b", State: outlay.StatePlanned}
	put := func(r outlay.Resource) {
		t.Helper()
		o.write(func(ctx context.Context, tx outlay.Tx) error { return tx.PutResource(ctx, r) })
	}
	put(export)
	put(outlay.Resource{SourceID: bucket.SourceID, Kind: bucket.Kind, Name: bucket.Name}) // bare first: then every field must be updated
	put(bucket)
	same(t, "bucket", bucket, read(o, func(ctx context.Context, tx outlay.Tx) ([]outlay.Resource, error) { return tx.Resources(ctx, "src_1") })[0])
	put(other)
	bucket.State, bucket.LastError = outlay.StateVerified, ""
	put(bucket)
	same(t, "resources", []outlay.Resource{bucket, export}, read(o, func(ctx context.Context, tx outlay.Tx) ([]outlay.Resource, error) { return tx.Resources(ctx, "src_1") }))
	src := read(o, func(ctx context.Context, tx outlay.Tx) (outlay.Source, error) { return tx.Source(ctx, "src_1") })
	same(t, "a source's own", []outlay.Resource{bucket, export}, src.Resources)
	for _, s := range read(o, func(ctx context.Context, tx outlay.Tx) ([]outlay.Source, error) { return tx.Sources(ctx) }) {
		want := map[string]int{"src_1": 2, "src_3": 1}[s.ID]
		if len(s.Resources) != want {
			t.Errorf("Sources gives %s %d resources, want %d", s.ID, len(s.Resources), want)
		}
	}
	_ = o.refuse(outlay.CodeNotFound, func(ctx context.Context, tx outlay.Tx) error {
		return tx.PutResource(ctx, outlay.Resource{SourceID: "src_none", Kind: "k", Name: "n"})
	})
}

func storeCoverage(t *testing.T, o tenant) {
	member := filled(t, outlay.Coverage{OrgID: o.id, SourceID: "src_1", SubAccountID: "111", Name: "dev", Basis: outlay.CoveredByMembership, SeenAt: noon()})
	seen := member
	seen.Basis, seen.SeenAt = outlay.CoveredBySeen, after(1)
	other := outlay.Coverage{OrgID: o.id, SourceID: "src_3", SubAccountID: "222", Basis: outlay.CoveredBySeen, SeenAt: noon()}
	o.write(func(ctx context.Context, tx outlay.Tx) error {
		for _, c := range []outlay.Coverage{member, seen, other, member} {
			if err := tx.PutCoverage(ctx, c); err != nil {
				return err
			}
		}
		seen.Name, seen.SeenAt = "development", after(60)
		return tx.PutCoverage(ctx, seen)
	})
	of := func(id string) []outlay.Coverage {
		return read(o, func(ctx context.Context, tx outlay.Tx) ([]outlay.Coverage, error) { return tx.Coverage(ctx, id) })
	}
	same(t, "being a member does not unsay having been seen", []outlay.Coverage{member, seen}, of("src_1"))
	same(t, "all coverage", []outlay.Coverage{member, seen, other}, of(""))
}

func proof(rows int64) outlay.Proof {
	sums := map[string]map[outlay.Measure]string{"EUR": {outlay.Billed: "1.000000000000000001", outlay.Effective: "-2"}}
	return outlay.Proof{Rows: rows, Read: sums, Written: sums, Rounded: 1, SchemaHash: "h", Unknown: []string{"x"}, MissingColumns: []string{"y"}, Notes: []string{"z"}}
}

func unit(o tenant, id string, version time.Time) outlay.Unit {
	return outlay.Unit{OrgID: o.id, ID: id, SourceID: "src_1", Period: "2026-10", State: outlay.UnitWaiting, Attempts: 2, SeenAt: noon(), LoadedAt: after(1),
		Delivery: outlay.Delivery{Period: "2026-10", Version: version, Token: "t", ID: "run", Format: "f", Rows: -1,
			Files: []outlay.DeliveryFile{{Key: "k", ETag: "e", Size: 3 << 32}}, Ref: map[string]string{"manifest": "m"}},
		Problem: &outlay.Problem{Code: outlay.CodeInvalid, Message: "m", Fix: "f", Step: "s", Policy: "p",
			Needs: []outlay.Permission{{Action: "a", Resource: "r", For: "f", State: outlay.PermissionDenied, Why: "w"}}},
		Proof: new(proof(7))}
}

func addUnit(o tenant, u outlay.Unit) (outlay.Unit, bool) {
	o.t.Helper()
	var added bool
	o.write(func(ctx context.Context, tx outlay.Tx) (err error) {
		u, added, err = tx.AddUnit(ctx, u)
		return err
	})
	return u, added
}

func storeUnits(t *testing.T, s outlay.Store) {
	o := withSource(t, s, "org_a")
	older, newer := filled(t, unit(o, "unt_1", noon())), unit(o, "unt_2", after(1))
	for _, u := range []outlay.Unit{older, newer} {
		got, added := addUnit(o, u)
		same(t, "added unit", u, got)
		if !added {
			t.Errorf("%s was not added", u.ID)
		}
	}
	get := func(id string) outlay.Unit {
		t.Helper()
		return read(o, func(ctx context.Context, tx outlay.Tx) (outlay.Unit, error) { return tx.Unit(ctx, id) })
	}
	older.State, older.Attempts, older.SeenAt, older.LoadedAt = outlay.UnitLoading, 3, after(2), after(3)
	older.Problem, older.Proof = &outlay.Problem{Message: "other"}, new(proof(8))
	older.Delivery.Ref = map[string]string{"manifest": "m2"}
	put := func(u outlay.Unit) func(context.Context, outlay.Tx) error {
		return func(ctx context.Context, tx outlay.Tx) error { return tx.PutUnit(ctx, u) }
	}
	o.write(put(older))
	same(t, "stored unit", older, get("unt_1"))
	older.State, older.Problem, older.Proof = outlay.UnitPublished, nil, nil
	o.write(put(older))
	same(t, "published unit", older, get("unt_1"))
	// The same delivery again is the unit that is there, as far as it got; another token or version is another unit.
	known, added := addUnit(o, unit(o, "unt_3", noon()))
	same(t, "known unit", older, known)
	if added {
		t.Error("a known delivery was added again")
	}
	moved := unit(o, "unt_4", noon())
	moved.Delivery.Token = "t2"
	if _, added := addUnit(o, moved); !added {
		t.Error("another change token is another unit")
	}
	// A version in another zone, finer than a store keeps, is the same version.
	if _, added := addUnit(o, unit(o, "unt_5", noon().Add(99*time.Nanosecond).In(time.FixedZone("x", 3600)))); added {
		t.Error("the same instant was taken for another version")
	}
	var ids []string
	for _, u := range read(o, func(ctx context.Context, tx outlay.Tx) ([]outlay.Unit, error) { return tx.Units(ctx, "src_1") }) {
		ids = append(ids, u.ID)
	}
	same(t, "newest version first", []string{"unt_2", "unt_1", "unt_4"}, ids)
	_ = o.refuse(outlay.CodeNotFound, put(unit(o, "unt_none", noon())))
	_ = o.refuse(outlay.CodeNotFound, func(ctx context.Context, tx outlay.Tx) error { _, err := tx.Unit(ctx, "unt_none"); return err })
}
