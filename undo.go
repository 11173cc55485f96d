package outlay

// Lock is the ledger row that allows the deletion c: the resource's own, or that of the resource which contains it and
// so has its name (the contents of a bucket have no row of their own). Without one that says CreatedByUs, nothing may be
// deleted (reliability.md P1); the marks on the live resource are the second lock.
func (c Change) Lock(ledger []Resource) (Resource, bool) {
	var container Resource
	for _, r := range ledger {
		if r.Key() == c.Key() {
			return r, r.Origin == CreatedByUs
		}
		if r.Name == c.Name && r.Origin == CreatedByUs && !r.IntentAt.IsZero() {
			container = r
		}
	}
	return container, container.Name != ""
}

// MadeBy limits a plan toward nothing to the deletion of what one operation created: an undo of that operation. What
// another operation made, or what was there before, stays (reliability.md §3.1 rule 8).
func (p Plan) MadeBy(operationID string, ledger []Resource) Plan {
	undo := Plan{Notes: p.Notes}
	for _, c := range p.Changes {
		lock, ok := c.Lock(ledger)
		if c.Action != ActionDelete || ok && lock.OperationID == operationID {
			undo.Changes = append(undo.Changes, c)
		}
	}
	return undo
}
