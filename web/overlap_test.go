package web

import (
	"context"
	"strings"
	"testing"

	"outlay"
)

// overlapping is a CostStore in which two sources deliver the same months.
type overlapping struct{ outlay.CostStore }

func (c overlapping) Query(ctx context.Context, org string, q outlay.Query) (outlay.Answer, error) {
	a, err := c.CostStore.Query(ctx, org, q)
	a.Overlaps = []outlay.Overlap{
		{SubAccountID: "1", Period: "2026-10", Winner: "src_main", Loser: "src_file"},
		{SubAccountID: "2", Period: "2026-10", Winner: "src_main", Loser: "src_file"},
	}
	return a, err
}

// TestOverlap: a month that two sources deliver is told below the figures, and who may look into it finds the way there.
func TestOverlap(t *testing.T) {
	h := newHouse(t, overlapping{someCharges(fixedNow())})
	h.seed()
	for role, link := range map[outlay.Role]bool{outlay.RoleAdmin: true, outlay.RoleMember: false} {
		page := h.signIn(role).page("/costs?range=90d")
		if !strings.Contains(page, "2 months of accounts reached Outlay through more than one source") {
			t.Errorf("%s is not told of the overlap:\n%s", role, page)
		}
		if got := strings.Contains(page, `<a href="/data-health">See which</a>`); got != link {
			t.Errorf("%s: link to data health is %t, want %t", role, got, link)
		}
	}
	health := h.signIn(outlay.RoleAuditor).page("/data-health")
	if n := strings.Count(health, "Overlap: "); n != 1 || !strings.Contains(health, "Both deliver this month of 2 accounts.") {
		t.Errorf("%d overlaps:\n%s", n, health)
	}
}

// TestSentence: a message begins as a sentence does, and a name as it is written.
func TestSentence(t *testing.T) {
	for in, want := range map[string]string{
		"there is no such page": "There is no such page", "": "", "ärger": "Ärger", "accounts:read needs a role": "accounts:read needs a role", "bill.csv is empty": "bill.csv is empty", "s3 said no": "s3 said no",
	} {
		if got := sentence(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}
