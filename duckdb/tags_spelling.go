package duckdb

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	engine "github.com/duckdb/duckdb-go/v2"

	"outlay"
)

// maxNear bounds how many keys of a month are looked at because they look like one of the nine.
const maxNear = 20

// nearKey is a delivered key that only looks like a tag.
type nearKey struct{ tag, key string }

// sortNear puts near keys in order and cuts what nobody would read.
func sortNear(list []nearKey) []nearKey {
	slices.SortFunc(list, func(a, b nearKey) int {
		return cmp.Or(strings.Compare(a.tag, b.tag), strings.Compare(a.key, b.key))
	})
	return list[:min(len(list), maxNear)]
}

// spellings reads back what was found out about a month's tag keys: several spellings of one tag, with the rows on
// which they met, and keys that only look like one, with what they stand for. What lost and what is near is in the
// column Tags.
func (p *parsing) spellings(ctx context.Context, m *month) ([]outlay.TagSpelling, error) {
	var out []outlay.TagSpelling
	for _, tag := range outlay.TagKeys() {
		keys := m.tags.keys[tag]
		if len(keys) < 2 {
			continue
		}
		s := outlay.TagSpelling{Tag: tag, Keys: keys}
		err := p.db.QueryRowContext(ctx, "SELECT count(*) FROM read_parquet("+texts(m.paths())+") WHERE list_has_any(map_keys(Tags), "+texts(keys)+")").Scan(&s.Rows)
		if err != nil {
			return nil, engineFailure(err, "counting tags of several spellings")
		}
		out = append(out, s)
	}
	near, err := p.nearSpellings(ctx, m)
	return append(out, near...), err
}

// nearSpellings counts and sums the charges of all near keys in one pass.
func (p *parsing) nearSpellings(ctx context.Context, m *month) ([]outlay.TagSpelling, error) {
	if len(m.tags.near) == 0 {
		return nil, nil
	}
	out := make([]outlay.TagSpelling, len(m.tags.near))
	list := []string{"BillingCurrency"}
	for i, n := range m.tags.near {
		out[i] = outlay.TagSpelling{Tag: n.tag, Keys: []string{n.key}, Near: true, Effective: map[string]string{}}
		has := " FILTER (WHERE Tags[" + text(n.key) + "] IS NOT NULL)"
		list = append(list, "count(*)"+has, "COALESCE(sum(EffectiveCost)"+has+", 0)")
	}
	rows, err := p.db.QueryContext(ctx, "SELECT "+strings.Join(list, ", ")+" FROM read_parquet("+texts(m.paths())+") GROUP BY 1 ORDER BY 1")
	if err != nil {
		return nil, engineFailure(err, "counting keys that look like tags")
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var currency string
		counts, sums := make([]int64, len(out)), make([]engine.Decimal, len(out))
		targets := []any{&currency}
		for i := range out {
			targets = append(targets, &counts[i], &sums[i])
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, fmt.Errorf("reading keys that look like tags: %w", err)
		}
		for i := range out {
			if counts[i] > 0 {
				out[i].Rows += counts[i]
				out[i].Effective[currency] = outlay.NewAmount(sums[i].Value, int(sums[i].Scale), currency).String()
			}
		}
	}
	if err := rows.Err(); err != nil {
		return nil, engineFailure(err, "counting keys that look like tags")
	}
	return slices.DeleteFunc(out, func(s outlay.TagSpelling) bool { return s.Rows == 0 }), nil
}

// spellingNotes says the findings that touch figures as sentences.
func spellingNotes(list []outlay.TagSpelling) []string {
	var notes []string
	for _, s := range list {
		if !s.Near {
			note := fmt.Sprintf("The tag %s is spelled %s; %q goes first.", s.Tag, strings.Join(s.Keys, ", "), s.Keys[0])
			if s.Rows > 0 {
				note += fmt.Sprintf(" On %s two spellings met.", countOf(int(s.Rows), "row"))
			}
			notes = append(notes, note)
		}
	}
	return notes
}
