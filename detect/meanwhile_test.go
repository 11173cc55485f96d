package detect

import (
	"testing"
	"time"

	"outlay"
)

// TestLookBesideARun keeps what a run wrote down that began and ended while the look was under way.
func TestLookBesideARun(t *testing.T) {
	b := setup(t)
	b.provisioned()
	b.drain()
	row := outlay.Resource{OrgID: org, SourceID: "src_a", Kind: kindStore, Name: "store-a", State: outlay.StateDeleted, Origin: outlay.CreatedByUs, IntentAt: b.clock.Now()}
	b.cloud.during = func() {
		b.cloud.during = nil
		b.tx(func(tx outlay.Tx) error {
			o, err := tx.AddOperation(t.Context(), outlay.Operation{OrgID: org, ID: "run_x", Kind: outlay.OpProvision, SourceID: "src_a", AccountID: "acc_prod", Provider: "nimbus", ScopeID: "1111", CreatedAt: b.clock.Now()})
			if err != nil {
				return err
			}
			if err := tx.PutResource(t.Context(), row); err != nil {
				return err
			}
			o.Status = outlay.OpDone
			return tx.PutOperation(t.Context(), o)
		})
	}
	b.hour()
	b.tx(func(tx outlay.Tx) error {
		rows, err := tx.Resources(t.Context(), "src_a")
		if len(rows) != 1 || rows[0].State != outlay.StateDeleted {
			t.Errorf("the look wrote over what the run knew: %+v", rows)
		}
		return err
	})
}

// TestLookBesideAnEnd notes no delivery of a source that stopped being wanted while the look was under way.
func TestLookBesideAnEnd(t *testing.T) {
	b := setup(t)
	b.provisioned()
	b.drain()
	b.cloud.deliveries = []outlay.Delivery{{Period: "2026-11", Version: b.clock.now.Add(-time.Hour), Token: "a", Format: "f"}}
	b.cloud.during = func() {
		b.cloud.during = nil
		b.tx(func(tx outlay.Tx) error {
			s, err := tx.Source(t.Context(), "src_a")
			if err != nil {
				return err
			}
			s.Desired, s.Spec = outlay.Absent, nil
			return tx.PutSource(t.Context(), s)
		})
	}
	b.hour()
	b.tx(func(tx outlay.Tx) error {
		units, err := tx.Units(t.Context(), "src_a")
		if len(units) != 0 {
			t.Errorf("units of a source that is gone: %+v", units)
		}
		return err
	})
}
