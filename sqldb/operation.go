package sqldb

import (
	"context"
	"errors"
	"time"

	"outlay"
)

const operationColumns = `org_id, id, kind, source_id, account_id, provider, scope_id, status, idem_key, request_hash, plan, plan_hash, cost_files,
	remove_history, fence, attempts, next_at, problem, created_by, created_at, started_at, ended_at`

const operationSelect = `SELECT o.org_id, o.id, o.kind, COALESCE(o.source_id, ''), COALESCE(o.account_id, ''), o.provider, o.scope_id, o.status, o.idem_key,
	o.request_hash, o.plan, o.plan_hash, o.cost_files, o.remove_history, o.fence, o.attempts, o.next_at, o.problem, o.created_by, o.created_at,
	o.started_at, o.ended_at, COALESCE(d.lease_owner, ''), COALESCE(d.lease_until, 0)
	FROM operations o LEFT JOIN due d ON d.org_id = o.org_id AND d.kind = 'operation' AND d.subject = o.id`

func scanOperation(r row) (o outlay.Operation, err error) {
	err = r.Scan(&o.OrgID, &o.ID, &o.Kind, &o.SourceID, &o.AccountID, &o.Provider, &o.ScopeID, &o.Status, &o.IdemKey,
		&o.RequestHash, fromJSON{&o.Plan}, &o.PlanHash, &o.CostFiles, truth{&o.RemoveHistory}, &o.Fence, &o.Attempts, when{&o.NextAt},
		fromJSON{&o.Problem}, &o.CreatedBy, when{&o.CreatedAt}, when{&o.StartedAt}, when{&o.EndedAt}, &o.LeaseOwner, when{&o.LeaseUntil})
	return o, err
}

// AddOperation queues an operation, or returns the one that the same request has made.
func (t *tx) AddOperation(ctx context.Context, o outlay.Operation) (outlay.Operation, error) {
	known, err := t.knownOperation(ctx, o)
	if err == nil || !errors.Is(err, errNone) {
		return known, err
	}
	o.OrgID, o.Status, o.Fence, o.LeaseOwner, o.LeaseUntil = t.org, outlay.OpQueued, 0, "", time.Time{}
	const add = `INSERT INTO operations (` + operationColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)`
	if _, err := run(ctx, t.q, say("adding the operation", add, t.org, o.ID, o.Kind, optional(o.SourceID), optional(o.AccountID), o.Provider, o.ScopeID,
		o.Status, o.IdemKey, o.RequestHash, asJSON{o.Plan}, o.PlanHash, o.CostFiles, flag(o.RemoveHistory), o.Fence, o.Attempts,
		micros(o.NextAt), asJSON{o.Problem}, o.CreatedBy, micros(o.CreatedAt), micros(o.StartedAt), micros(o.EndedAt))); err != nil {
		return outlay.Operation{}, err
	}
	if err := t.makeDue(ctx, operationKind, o.ID, o.NextAt); err != nil {
		return outlay.Operation{}, err
	}
	return t.Operation(ctx, o.ID)
}

// knownOperation is the operation that o would repeat, CodeConflict when o may not be added, and errNone when it may.
func (t *tx) knownOperation(ctx context.Context, o outlay.Operation) (outlay.Operation, error) {
	var none outlay.Operation
	if o.IdemKey != "" {
		same, err := first(ctx, t.q, say("looking for the request", operationSelect+` WHERE o.org_id = $1 AND o.idem_key = $2`, t.org, o.IdemKey), scanOperation)
		if err == nil && same.RequestHash != o.RequestHash {
			return none, outlay.Errorf(outlay.CodeConflict, "Use a new idempotency key for a new request.", "the idempotency key was used for another request, the operation %s", same.ID)
		}
		if err == nil || !errors.Is(err, errNone) {
			return same, err
		}
	}
	const active = ` WHERE o.org_id = $1 AND o.provider = $2 AND o.scope_id = $3 AND o.status IN ('queued', 'running', 'waiting')`
	other, err := first(ctx, t.q, say("looking for an active operation", operationSelect+active, t.org, o.Provider, o.ScopeID), scanOperation)
	if err != nil {
		return none, err
	}
	if o.RequestHash != "" && other.IdemKey == o.IdemKey && other.RequestHash == o.RequestHash {
		return other, nil // the same request without a key: a double click
	}
	return none, outlay.Errorf(outlay.CodeConflict, "Look at the operation "+other.ID+": wait for it to end, resume it or end it.",
		"another operation (%s, %s) is active on the billing scope %s", other.Kind, other.Status, o.ScopeID)
}

// Operation is one operation.
func (t *tx) Operation(ctx context.Context, id string) (outlay.Operation, error) {
	return find(ctx, t.q, say("reading the operation", operationSelect+` WHERE o.org_id = $1 AND o.id = $2`, t.org, id), "operation", scanOperation)
}

// Operations lists operations, newest first.
func (t *tx) Operations(ctx context.Context, sourceID string) ([]outlay.Operation, error) {
	const where = ` WHERE o.org_id = $1 AND ($2 = '' OR o.source_id = $2) ORDER BY o.created_at DESC, o.id DESC`
	return list(ctx, t.q, say("reading the operations", operationSelect+where, t.org, sourceID), scanOperation)
}

// PutOperation stores how far an operation got, where the fence is the caller's. An operation that is not running any
// more hands its lease back, so that Resume need not wait for it; one that has ended does not come back.
func (t *tx) PutOperation(ctx context.Context, o outlay.Operation) error {
	const put = `UPDATE operations SET kind = $4, source_id = $5, account_id = $6, provider = $7, scope_id = $8, status = $9, idem_key = $10,
			request_hash = $11, plan = $12, plan_hash = $13, cost_files = $14, remove_history = $15, attempts = $16, next_at = $17, problem = $18,
			created_by = $19, created_at = $20, started_at = $21, ended_at = $22
		WHERE org_id = $1 AND id = $2 AND fence = $3 AND (status IN ('queued', 'running', 'waiting') OR $23 = 0)`
	n, err := run(ctx, t.q, say("storing the operation", put, t.org, o.ID, o.Fence, o.Kind, optional(o.SourceID), optional(o.AccountID), o.Provider, o.ScopeID, o.Status, o.IdemKey,
		o.RequestHash, asJSON{o.Plan}, o.PlanHash, o.CostFiles, flag(o.RemoveHistory), o.Attempts, micros(o.NextAt), asJSON{o.Problem},
		o.CreatedBy, micros(o.CreatedAt), micros(o.StartedAt), micros(o.EndedAt), flag(o.Status.Active())))
	if err != nil {
		return err
	}
	if n == 0 {
		return t.refusedWrite(ctx, o.ID, o.Fence)
	}
	switch {
	case !o.Status.Active():
		return t.neverDue(ctx, operationKind, o.ID)
	case o.Status == outlay.OpRunning:
		return t.makeDue(ctx, operationKind, o.ID, o.NextAt)
	}
	return t.handBack(ctx, operationKind, o.ID, o.NextAt)
}

// refusedWrite says why a write to an operation touched nothing.
func (t *tx) refusedWrite(ctx context.Context, id string, fence int64) error {
	o, err := t.Operation(ctx, id)
	if err != nil {
		return err
	}
	if o.Fence == fence {
		return outlay.Errorf(outlay.CodeConflict, "Start a new operation.", "the operation %s has ended (%s)", id, o.Status)
	}
	return outlay.Errorf(outlay.CodeConflict, "Leave it to the worker that holds it now.", "another worker holds the operation %s", id)
}

func scanStep(r row) (s outlay.Step, err error) {
	err = r.Scan(&s.OrgID, &s.OperationID, &s.Seq, &s.Title, &s.ResourceKey, &s.State, &s.Detail, &s.Calls, when{&s.StartedAt}, when{&s.EndedAt})
	return s, err
}

const stepColumns = `org_id, operation_id, seq, title, resource_key, state, detail, calls, started_at, ended_at`

// Steps lists an operation's steps in order.
func (t *tx) Steps(ctx context.Context, operationID string) ([]outlay.Step, error) {
	const query = `SELECT ` + stepColumns + ` FROM steps WHERE org_id = $1 AND operation_id = $2 ORDER BY seq`
	return list(ctx, t.q, say("reading the steps", query, t.org, operationID), scanStep)
}

// PutStep stores a step where the fence is the caller's.
func (t *tx) PutStep(ctx context.Context, s outlay.Step, fence int64) error {
	// The update of the fence to itself holds the row until the end: no claim comes between the check and the step.
	const hold = `UPDATE operations SET fence = fence WHERE org_id = $1 AND id = $2 AND fence = $3`
	n, err := run(ctx, t.q, say("checking the fence", hold, t.org, s.OperationID, fence))
	if err != nil {
		return err
	}
	if n == 0 {
		return t.refusedWrite(ctx, s.OperationID, fence)
	}
	const put = `INSERT INTO steps (` + stepColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (org_id, operation_id, seq) DO UPDATE SET title = excluded.title, resource_key = excluded.resource_key, state = excluded.state,
			detail = excluded.detail, calls = excluded.calls, started_at = excluded.started_at, ended_at = excluded.ended_at`
	_, err = run(ctx, t.q, say("storing the step", put, t.org, s.OperationID, s.Seq, s.Title, s.ResourceKey, s.State, s.Detail, s.Calls, micros(s.StartedAt), micros(s.EndedAt)))
	return err
}
