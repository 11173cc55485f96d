package sqldb

import (
	"context"

	"outlay"
)

// AddMetered adds to the count of (source, month).
func (t *tx) AddMetered(ctx context.Context, m outlay.Metered) error {
	const add = `INSERT INTO metered (org_id, source_id, month, queries, bytes) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (org_id, source_id, month) DO UPDATE SET queries = metered.queries + excluded.queries, bytes = metered.bytes + excluded.bytes`
	_, err := run(ctx, t.q, say("counting a billed read", add, t.org, m.SourceID, m.Month, m.Queries, m.Bytes))
	return err
}

// Metered lists the counts, newest month first.
func (t *tx) Metered(ctx context.Context) ([]outlay.Metered, error) {
	const query = `SELECT org_id, source_id, month, queries, bytes FROM metered WHERE org_id = $1 ORDER BY month DESC, source_id`
	return list(ctx, t.q, say("reading the counts of billed reads", query, t.org), func(r row) (m outlay.Metered, err error) {
		err = r.Scan(&m.OrgID, &m.SourceID, &m.Month, &m.Queries, &m.Bytes)
		return m, err
	})
}

// PutLabel remembers what a label stands for. The same meaning again changes nothing; another one is a conflict.
func (t *tx) PutLabel(ctx context.Context, m outlay.LabelMeaning) error {
	const put = `INSERT INTO labels (org_id, provider, tag, value, original) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (org_id, provider, tag, value) DO UPDATE SET original = excluded.original WHERE labels.original = excluded.original`
	n, err := run(ctx, t.q, say("storing a label", put, t.org, m.Provider, m.Tag, m.Value, m.Original))
	if err == nil && n == 0 {
		err = outlay.Errorf(outlay.CodeConflict, "Use another value for one of the two.", "the label %s=%s stands for another value already", m.Tag, m.Value)
	}
	return err
}

// Labels lists what the labels of a provider stand for, by tag and value.
func (t *tx) Labels(ctx context.Context, provider outlay.ProviderName) ([]outlay.LabelMeaning, error) {
	const query = `SELECT org_id, provider, tag, value, original FROM labels WHERE org_id = $1 AND provider = $2 ORDER BY tag, value`
	return list(ctx, t.q, say("reading the labels", query, t.org, provider), func(r row) (m outlay.LabelMeaning, err error) {
		err = r.Scan(&m.OrgID, &m.Provider, &m.Tag, &m.Value, &m.Original)
		return m, err
	})
}
