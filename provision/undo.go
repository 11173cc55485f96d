package provision

import "outlay"

// Undo makes a deprovision of what operation op created, and of nothing else. down is the provider's plan toward
// nothing for the whole source; what another operation made, or what was there before, is not in the result
// (reliability.md §3.1 rule 8).
func Undo(op outlay.Operation, s outlay.Source, down outlay.Plan) outlay.Operation {
	plan := outlay.Plan{Notes: down.Notes}
	for _, c := range down.Changes {
		lock, ok := guard(c, s.Resources)
		if c.Action == outlay.ActionDelete && (!ok || lock.OperationID != op.ID) {
			continue
		}
		plan.Changes = append(plan.Changes, c)
	}
	return outlay.Operation{
		OrgID: op.OrgID, Kind: outlay.OpDeprovision, SourceID: op.SourceID, AccountID: op.AccountID,
		Provider: op.Provider, ScopeID: op.ScopeID, Status: outlay.OpQueued,
		Plan: plan, PlanHash: plan.Hash(), CostFiles: s.CostFiles,
	}
}
