package outlaytest

import (
	"context"
	"testing"

	"outlay"
)

// storeMeter adds up what reading cost, by source and month.
func storeMeter(t *testing.T, s outlay.Store) {
	o := withSource(t, s, "org_a")
	o.write(putSource(source(o, "src_2", "other")))
	add := func(m outlay.Metered) {
		t.Helper()
		o.write(func(ctx context.Context, tx outlay.Tx) error { return tx.AddMetered(ctx, m) })
	}
	first := filled(t, outlay.Metered{OrgID: o.id, SourceID: "src_1", Month: "2026-10", Queries: 2, Bytes: 3 << 40})
	add(first)
	add(outlay.Metered{SourceID: "src_1", Month: "2026-10", Queries: 1, Bytes: 5})
	add(outlay.Metered{SourceID: "src_1", Month: "2026-11", Queries: 1})
	add(outlay.Metered{SourceID: "src_2", Month: "2026-10", Queries: 7, Bytes: 1})
	first.Queries, first.Bytes = 3, 3<<40+5
	same(t, "newest month first", []outlay.Metered{
		{OrgID: o.id, SourceID: "src_1", Month: "2026-11", Queries: 1}, first, {OrgID: o.id, SourceID: "src_2", Month: "2026-10", Queries: 7, Bytes: 1},
	}, read(o, func(ctx context.Context, tx outlay.Tx) ([]outlay.Metered, error) { return tx.Metered(ctx) }))
	_ = o.refuse(outlay.CodeNotFound, func(ctx context.Context, tx outlay.Tx) error {
		return tx.AddMetered(ctx, outlay.Metered{SourceID: "src_none", Month: "2026-10"})
	})
}

// storeLabels remembers what a label stands for, and that it stands for nothing else.
func storeLabels(t *testing.T, s outlay.Store) {
	o := newTenant(t, s, "org_a")
	put := func(m outlay.LabelMeaning) func(context.Context, outlay.Tx) error {
		return func(ctx context.Context, tx outlay.Tx) error { return tx.PutLabel(ctx, m) }
	}
	ann := filled(t, outlay.LabelMeaning{OrgID: o.id, Provider: "nimbus", Tag: "User", Value: "ann-x-example", Original: "ann@x.example"})
	pool := outlay.LabelMeaning{OrgID: o.id, Provider: "nimbus", Tag: "Pool", Value: "ann-x-example", Original: "Ann X Example"}
	other := outlay.LabelMeaning{OrgID: o.id, Provider: "cumulus", Tag: "User", Value: "ann-x-example", Original: "ann-x@example"}
	for _, m := range []outlay.LabelMeaning{ann, pool, other, ann} { // the same meaning again changes nothing
		o.write(put(m))
	}
	twice := ann
	twice.Original = "ann.x@example"
	_ = o.refuse(outlay.CodeConflict, put(twice))
	same(t, "by tag and value", []outlay.LabelMeaning{pool, ann}, read(o, func(ctx context.Context, tx outlay.Tx) ([]outlay.LabelMeaning, error) {
		return tx.Labels(ctx, "nimbus")
	}))
	same(t, "of another provider", []outlay.LabelMeaning{other}, read(o, func(ctx context.Context, tx outlay.Tx) ([]outlay.LabelMeaning, error) {
		return tx.Labels(ctx, "cumulus")
	}))
}
