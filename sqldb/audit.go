package sqldb

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"

	"outlay"
)

const entryColumns = `org_id, seq, id, at, actor, actor_name, addr, action, object, result, detail, hash`

// link is an entry with its place in the chain.
type link struct {
	outlay.Entry
	seq int64
}

func scanLink(r row) (l link, err error) {
	err = r.Scan(&l.OrgID, &l.seq, &l.ID, when{&l.At}, &l.Actor, &l.ActorName, &l.Addr, &l.Action, &l.Object, &l.Result, &l.Detail, &l.Hash)
	return l, err
}

// sum is the hash of an entry: SHA-256 over the hash before it and every field, each with its length, so that no two
// entries have the same text.
func (l link) sum(before string) string {
	h := sha256.New()
	var n [8]byte
	number := func(v int64) {
		binary.BigEndian.PutUint64(n[:], uint64(v))
		h.Write(n[:])
	}
	number(l.seq)
	number(micros(l.At))
	for _, s := range []string{before, l.OrgID, l.ID, l.Actor, l.ActorName, l.Addr, l.Action, l.Object, l.Result, l.Detail} {
		number(int64(len(s)))
		h.Write([]byte(s))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// tip is where a chain ends.
type tip struct {
	entries int64
	hash    string
}

func scanTip(r row) (p tip, err error) {
	err = r.Scan(&p.entries, &p.hash)
	return p, err
}

func (t *tx) auditTip(ctx context.Context) (tip, error) {
	p, err := first(ctx, t.q, say("reading the end of the audit log", `SELECT entries, hash FROM audit_tips WHERE org_id = $1`, t.org), scanTip)
	if errors.Is(err, errNone) {
		return tip{}, nil
	}
	return p, err
}

// Append adds an entry to the end of the organization's chain.
func (t *tx) Append(ctx context.Context, e outlay.Entry) error {
	end, err := t.auditTip(ctx)
	if err != nil {
		return err
	}
	e.OrgID, e.ID = t.org, outlay.NewID("aud")
	for _, s := range []*string{&e.Actor, &e.ActorName, &e.Addr, &e.Action, &e.Object, &e.Result, &e.Detail} {
		*s = clean(*s) // the sum is over what is stored
	}
	l := link{Entry: e, seq: end.entries + 1}
	l.Hash = l.sum(end.hash)
	const add = `INSERT INTO audit_entries (` + entryColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`
	if _, err := run(ctx, t.q, say("writing the audit log", add, t.org, l.seq, l.ID, micros(l.At), l.Actor, l.ActorName, l.Addr, l.Action, l.Object, l.Result, l.Detail, l.Hash)); err != nil {
		return err
	}
	const move = `INSERT INTO audit_tips (org_id, entries, hash) VALUES ($1, $2, $3)
		ON CONFLICT (org_id) DO UPDATE SET entries = excluded.entries, hash = excluded.hash`
	_, err = run(ctx, t.q, say("writing the audit log", move, t.org, l.seq, l.Hash))
	return err
}

// Entries lists at most limit entries, newest first; all with limit 0.
func (t *tx) Entries(ctx context.Context, limit int) ([]outlay.Entry, error) {
	const query = `SELECT ` + entryColumns + ` FROM audit_entries WHERE org_id = $1 ORDER BY seq DESC LIMIT $2`
	most := int64(limit)
	if limit <= 0 {
		most = 1 << 62
	}
	return list(ctx, t.q, say("reading the audit log", query, t.org, most), func(r row) (outlay.Entry, error) {
		l, err := scanLink(r)
		return l.Entry, err
	})
}

// auditPage is how many entries are checked at a time.
const auditPage = 1000

// VerifyAudit walks the chain from its first entry. It finds an entry that was altered, dropped, added or moved, and a log
// that was cut at its end; who can write the database and knows this program can still make a new chain.
func (t *tx) VerifyAudit(ctx context.Context) (entries int, broken error) {
	end, err := t.auditTip(ctx)
	if err != nil {
		return 0, err
	}
	const query = `SELECT ` + entryColumns + ` FROM audit_entries WHERE org_id = $1 AND seq > $2 ORDER BY seq LIMIT $3`
	var at tip
	for {
		page, err := list(ctx, t.q, say("reading the audit log", query, t.org, at.entries, auditPage), scanLink)
		if err != nil {
			return int(at.entries), err
		}
		for _, l := range page {
			if l.seq != at.entries+1 || l.Hash != l.sum(at.hash) {
				return int(at.entries), brokenAudit("entry %d of the audit log (%s) does not fit the one before it", at.entries+1, l.ID)
			}
			at = tip{entries: l.seq, hash: l.Hash}
		}
		if len(page) < auditPage {
			break
		}
	}
	if at != end {
		return int(at.entries), brokenAudit("the audit log ends at entry %d, but %d were written", at.entries, end.entries)
	}
	return int(at.entries), nil
}

func brokenAudit(format string, args ...any) error {
	return outlay.Errorf(outlay.CodeInternal, "Compare with a backup: somebody has changed the log in the database.", format, args...)
}
