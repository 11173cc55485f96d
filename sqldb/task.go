package sqldb

import (
	"context"
	"time"

	"outlay"
)

const taskSelect = `SELECT t.org_id, t.kind, t.subject, d.next_at, t.every, d.lease_owner, d.lease_until, t.fence, t.attempts, t.last_error
	FROM tasks t JOIN due d ON d.org_id = t.org_id AND d.kind = t.kind AND d.subject = t.subject`

func scanTask(r row) (k outlay.Task, err error) {
	var every int64
	err = r.Scan(&k.OrgID, &k.Kind, &k.Subject, when{&k.NextAt}, &every, &k.LeaseOwner, when{&k.LeaseUntil}, &k.Fence, &k.Attempts, &k.LastError)
	k.Every = time.Duration(every) * time.Microsecond
	return k, err
}

// PutTask inserts a task, or moves it. A task that is leased meanwhile is due again, at the new time, after it is finished.
func (t *tx) PutTask(ctx context.Context, k outlay.Task) error {
	if k.Kind == operationKind || k.Kind == "" || k.Subject == "" {
		return outlay.Errorf(outlay.CodeInternal, "Look at the server's log.", "%q of %q is not a task", k.Kind, k.Subject)
	}
	const put = `INSERT INTO tasks (org_id, kind, subject, every, fence, attempts, last_error) VALUES ($1, $2, $3, $4, 0, $5, $6)
		ON CONFLICT (org_id, kind, subject) DO UPDATE SET every = excluded.every`
	if _, err := run(ctx, t.q, say("storing the task", put, t.org, k.Kind, k.Subject, k.Every.Microseconds(), k.Attempts, k.LastError)); err != nil {
		return err
	}
	return t.makeDue(ctx, k.Kind, k.Subject, k.NextAt)
}

// Tasks lists the tasks by kind and subject.
func (t *tx) Tasks(ctx context.Context) ([]outlay.Task, error) {
	return list(ctx, t.q, say("reading the tasks", taskSelect+` WHERE t.org_id = $1 ORDER BY t.kind, t.subject`, t.org), scanTask)
}

func (t *tx) task(ctx context.Context, kind, subject string) (outlay.Task, error) {
	const where = ` WHERE t.org_id = $1 AND t.kind = $2 AND t.subject = $3`
	return find(ctx, t.q, say("reading the task", taskSelect+where, t.org, kind, subject), "task", scanTask)
}

// DeleteTask removes a task; one that is not there is no error. Its worker's FinishTask gets CodeConflict.
func (t *tx) DeleteTask(ctx context.Context, kind, subject string) error {
	const remove = `DELETE FROM tasks WHERE org_id = $1 AND kind = $2 AND subject = $3`
	if _, err := run(ctx, t.q, say("removing the task", remove, t.org, kind, subject)); err != nil {
		return err
	}
	return t.neverDue(ctx, kind, subject)
}

// finishTask stores how a leased task ended and when it is due again.
func (t *tx) finishTask(ctx context.Context, k outlay.Task) error {
	const put = `UPDATE tasks SET attempts = $5, last_error = $6 WHERE org_id = $1 AND kind = $2 AND subject = $3 AND fence = $4`
	n, err := run(ctx, t.q, say("finishing the task", put, t.org, k.Kind, k.Subject, k.Fence, k.Attempts, k.LastError))
	if err != nil {
		return err
	}
	if n == 0 {
		return lostTask(&k)
	}
	const wish = `SELECT next_at FROM due WHERE org_id = $1 AND kind = $2 AND subject = $3 AND moved = 1`
	wishes, err := list(ctx, t.q, say("reading when the task is due", wish, t.org, k.Kind, k.Subject), scalar[int64])
	if err != nil {
		return err
	}
	next := k.NextAt
	for _, us := range wishes { // somebody asked for it while it ran
		if at := instant(us); next.IsZero() || at.Before(next) {
			next = at
			if next.IsZero() {
				next = time.UnixMicro(1).UTC() // at once
			}
		}
	}
	if next.IsZero() {
		return t.DeleteTask(ctx, k.Kind, k.Subject)
	}
	return t.handBack(ctx, k.Kind, k.Subject, next)
}

func lostTask(k *outlay.Task) error {
	return outlay.Errorf(outlay.CodeConflict, "Leave it to the worker that holds it now.", "another worker holds the task %s of %s", k.Kind, k.Subject)
}
