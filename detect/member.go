package detect

import (
	"context"
	"fmt"
	"strings"

	"outlay"
)

// unknownMembers is the part of an Observation that could not be read when nobody can say who is under the scope.
const unknownMembers = "members"

// recordMembers writes down who the source covers: the members that the provider lists, or, where it would not list
// them, by the seed's rule every account of the provider of which nothing else is known.
func (v *visit) recordMembers(ctx context.Context, tx outlay.Tx, s *source) error {
	put := func(id, name string, basis outlay.CoverageBasis) error {
		c := outlay.Coverage{OrgID: v.orgID, SourceID: s.ID, SubAccountID: id, Name: name, Basis: basis, SeenAt: v.Clock.Now()}
		if err := tx.PutCoverage(ctx, c); err != nil {
			return fmt.Errorf("write coverage: %w", err)
		}
		return nil
	}
	for _, m := range s.seen.Members {
		if err := put(m.AccountID, m.Name, outlay.CoveredByMembership); err != nil {
			return err
		}
	}
	if _, unknown := s.seen.Unknown[unknownMembers]; !unknown || len(s.seen.Members) > 0 {
		return nil
	}
	accounts, err := tx.Accounts(ctx)
	if err != nil {
		return err
	}
	for _, a := range accounts {
		if a.Provider != v.account.Provider || a.ID == v.account.ID || a.Identity.AccountID == "" || !unplaced(a.Identity) {
			continue
		}
		if err := put(a.Identity.AccountID, a.Name, outlay.CoveredByRule); err != nil {
			return err
		}
	}
	return nil
}

// unplaced tells whether nothing is known of who is invoiced for an account: no scope could be read, or none but the
// account itself. An account that is its own scope by its bare id and is invoiced is a payer, and that is known; a path
// that ends with its id ("…/id") says only where its own costs are read.
func unplaced(is outlay.Identity) bool {
	scope, id := strings.ToLower(is.Scope.ID), strings.ToLower(is.AccountID)
	return scope == "" || scope == id && !is.Scope.IsPayer || strings.HasSuffix(scope, "/"+id)
}
