package detect

import (
	"testing"
	"time"

	"outlay"
)

// TestOneSourceDoesNotHideAnother looks on when a source cannot be observed, and says why it could not.
func TestOneSourceDoesNotHideAnother(t *testing.T) {
	b := setup(t)
	b.provisioned()
	b.tx(func(tx outlay.Tx) error {
		return tx.PutSource(t.Context(), outlay.Source{
			OrgID: org, ID: "src_0", Name: "theirs", Provider: "nimbus", AccountID: "acc_prod", Scope: outlay.BillingScope{ID: "7777"},
			Origin: outlay.OriginImported, Spec: &outlay.Spec{}, Desired: outlay.Present, CreatedAt: b.clock.Now(),
		})
	})
	b.cloud.sourceErr = map[string]error{"src_0": outlay.Errorf(outlay.CodeForbidden, "", "Nimbus refused nimbus:Read of theirs")}
	b.cloud.deliveries = []outlay.Delivery{{Period: "2026-11", Version: b.clock.now.Add(-time.Hour), Token: "a", Format: "f"}}
	b.drain()
	b.tx(func(tx outlay.Tx) error {
		units, err := tx.Units(t.Context(), "")
		if len(units) != 1 || units[0].SourceID != "src_a" {
			t.Errorf("units %+v, want the delivery of the source that can be read", units)
		}
		return err
	})
	s := b.status("prod")
	if s.CouldNotCheckWhy != "Nimbus refused nimbus:Read of theirs" {
		t.Errorf("could not check: %q", s.CouldNotCheckWhy)
	}
	if a := axis(s.Axes, AxisCredential); a.State != outlay.AxisGood {
		t.Errorf("credential axis %+v", a)
	}
	listed := b.cloud.listed
	b.cloud.sourceErr["src_0"] = outlay.Errorf(outlay.CodeUnauthenticated, "", "Nimbus does not know the key")
	b.hour()
	if b.cloud.listed != listed {
		t.Error("the look went on with a credential that is refused")
	}
}

// TestMemberThatLeft is covered no more once the provider has not listed it for a day.
func TestMemberThatLeft(t *testing.T) {
	b := setup(t)
	b.provisioned()
	b.hour()
	if s := b.status("research"); s.OwnerID != "acc_prod" {
		t.Fatalf("research is not expected to be covered: %+v", s)
	}
	prod, research := b.cloud.seen["prod"], b.cloud.seen["research"]
	prod.Members = prod.Members[:1]
	research.Identity.Scope = outlay.BillingScope{ID: "2222", IsPayer: true}
	b.cloud.seen["prod"], b.cloud.seen["research"] = prod, research
	b.hour()
	if s := b.status("research"); s.OwnerID != "acc_prod" {
		t.Errorf("one list that lacks it was enough: %+v", s)
	}
	for range 25 {
		b.hour()
	}
	if s := b.is("research", outlay.Unprovisioned); s.OwnerID != "" || s.Reason != "No cost data. Provision billing here, or on any other Nimbus account." {
		t.Errorf("research: %+v", s)
	}
}

// TestEmptyMonthIsNoCostData does not call an account provisioned whose export has delivered no charge yet.
func TestEmptyMonthIsNoCostData(t *testing.T) {
	b := setup(t)
	b.provisioned()
	b.drain()
	b.tx(func(tx outlay.Tx) error {
		u := outlay.Unit{OrgID: org, ID: "unt_a", SourceID: "src_a", Period: "2026-11", Delivery: outlay.Delivery{Version: b.clock.now, Token: "t"}, State: outlay.UnitPublished}
		if _, _, err := tx.AddUnit(t.Context(), u); err != nil {
			return err
		}
		return tx.Publish(t.Context(), outlay.Head{
			OrgID: org, SourceID: "src_a", Provider: "nimbus", Origin: outlay.OriginCreated, Period: "2026-11", UnitID: "unt_a", Version: b.clock.now,
			Generation: "g1", DeliveredAt: b.clock.now, PublishedAt: b.clock.now,
		})
	})
	b.hour()
	if s := b.is("prod", outlay.Unprovisioned); s.Reason != "Billing is set up here; no cost data yet. First costs appear within 24 hours." {
		t.Errorf("prod: %s", s.Reason)
	}
}

// TestChargesWithoutAnAccountCoverNone writes no coverage of an account without a name.
func TestChargesWithoutAnAccountCoverNone(t *testing.T) {
	b := setup(t)
	b.provisioned()
	b.publish("1111", "")
	b.hour()
	b.tx(func(tx outlay.Tx) error {
		all, err := tx.Coverage(t.Context(), "src_a")
		for _, c := range all {
			if c.SubAccountID == "" {
				t.Errorf("covered: %+v", c)
			}
		}
		return err
	})
}
