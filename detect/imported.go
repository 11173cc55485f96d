package detect

import (
	"context"
	"fmt"
	"slices"

	"outlay"
)

// recordImported lists what an imported export consists of, as it was seen. None of it is ours: it is watched, and never
// changed. What is not found twice in a row is missing.
func (v *visit) recordImported(ctx context.Context, tx outlay.Tx, s *source) error {
	known := map[string]outlay.Resource{}
	for _, row := range s.Resources {
		known[row.Key()] = row
	}
	for _, live := range s.seen.Resources {
		row := known[live.Key()]
		delete(known, live.Key())
		if live.State == outlay.StateMissing {
			if row.Name == "" {
				row = live
				row.State = outlay.StateVerified
			}
			if err := v.putImported(ctx, tx, s, absent(row, live.LastError)); err != nil {
				return err
			}
			continue
		}
		live.State, live.LastSeen = outlay.StateVerified, v.Clock.Now()
		if err := v.putImported(ctx, tx, s, live); err != nil {
			return err
		}
	}
	if s.unread() != nil {
		return nil // what was not found may still be there
	}
	for _, row := range known {
		if err := v.putImported(ctx, tx, s, absent(row, "")); err != nil {
			return err
		}
	}
	return nil
}

// absent is a row whose resource was not found: missing, once that was so twice.
func absent(row outlay.Resource, why string) outlay.Resource {
	if row.LastError != "" {
		row.State = outlay.StateMissing
	}
	row.LastError = why
	if why == "" {
		row.LastError = notSeen
	}
	return row
}

func (v *visit) putImported(ctx context.Context, tx outlay.Tx, s *source, row outlay.Resource) error {
	row.OrgID, row.SourceID, row.Origin, row.Owner = v.orgID, s.ID, outlay.PreExisting, nil
	if err := tx.PutResource(ctx, row); err != nil {
		return fmt.Errorf("write what an import consists of: %w", err)
	}
	s.note(row)
	return nil
}

// notes are what the looks at existing exports had to say. Of one that could not be looked at, what was said last stays.
func (v *visit) notes(last []outlay.SourceNote) []outlay.SourceNote {
	var out []outlay.SourceNote
	for _, s := range v.sources {
		if s.Origin != outlay.OriginImported {
			continue
		}
		if !s.observed {
			out = append(out, slices.DeleteFunc(slices.Clone(last), func(n outlay.SourceNote) bool { return n.SourceID != s.ID })...)
			continue
		}
		for _, n := range s.seen.Notes {
			out = append(out, outlay.SourceNote{SourceID: s.ID, Note: n})
		}
	}
	return out
}
