package detect

import (
	"context"
	"fmt"
	"slices"

	"outlay"
)

// wantsTags tells whether this look reads the tags: while one is not on yet, and seldom after that.
func (v *visit) wantsTags(s outlay.Source) bool {
	if s.Spec == nil || len(s.Spec.Tags) == 0 {
		return false
	}
	// A key that was asked for later than the others waits while the axis still says that all are on.
	waits := slices.ContainsFunc(s.Resources, func(r outlay.Resource) bool {
		settled := r.State == outlay.StateVerified || r.State == outlay.StateDeleted || r.State == outlay.StateAbandoned
		return slices.Contains(s.Spec.Tags, r.Name) && !settled
	})
	last := axis(v.account.Status.Axes, AxisTags)
	return waits || last.State != outlay.AxisGood || v.Clock.Now().Sub(last.At) >= tagsAgain
}

// recordTags writes down where wanted keys stand that no run had to touch: they were on before we came. Pages show them
// from the ledger, and would know nothing of them otherwise. A tag's resource has one of the nine keys as its name.
func (v *visit) recordTags(ctx context.Context, tx outlay.Tx, s *source) error {
	if s.busy || !s.look.Tags || s.Spec == nil || s.Origin != outlay.OriginCreated {
		return nil
	}
	for _, live := range s.seen.Resources {
		known := slices.ContainsFunc(s.Resources, func(r outlay.Resource) bool { return r.Name == live.Name })
		if known || !slices.Contains(s.Spec.Tags, live.Name) {
			continue
		}
		live.OrgID, live.SourceID, live.Origin, live.LastSeen = v.orgID, s.ID, outlay.PreExisting, v.Clock.Now()
		live.State = outlay.StateVerified
		if change, differs := s.change(live.Key()); differs {
			live.State, live.LastError = outlay.StateWaiting, change.Hold
		}
		if err := tx.PutResource(ctx, live); err != nil {
			return fmt.Errorf("write down a tag: %w", err)
		}
	}
	return nil
}
