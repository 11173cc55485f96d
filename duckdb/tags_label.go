package duckdb

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"outlay"
)

// A provider that cannot take a value as it was meant (an e-mail address, upper case) carries a label in its place, and
// the job says what the labels stand for. They are turned back where the nine columns are made, so that one person is
// one row over all providers. What the job does not name stays as it is; the map of other tags is never changed.

// labelBatch is how many labels one statement brings into the engine.
const labelBatch = 500

// putLabels makes the table labels from the job; nothing when it names none.
func (p *parsing) putLabels(ctx context.Context) error {
	var rows []string
	for _, tag := range outlay.TagKeys() {
		for _, value := range slices.Sorted(maps.Keys(p.job.Labels[tag])) {
			rows = append(rows, "("+text(tag)+", "+text(value)+", "+text(p.job.Labels[tag][value])+")")
		}
	}
	if len(rows) == 0 {
		return nil
	}
	if _, err := p.db.ExecContext(ctx, "CREATE TEMP TABLE labels (of_tag VARCHAR, of_value VARCHAR, original VARCHAR)"); err != nil {
		return fmt.Errorf("table labels: %w", err)
	}
	for batch := range slices.Chunk(rows, labelBatch) {
		if _, err := p.db.ExecContext(ctx, "INSERT INTO labels VALUES "+strings.Join(batch, ", ")); err != nil {
			return fmt.Errorf("filling the table labels: %w", err)
		}
	}
	return nil
}

// labelled tells whether labels of a tag can occur in a month.
func (p *parsing) labelled(m *month, tag string) bool {
	return len(p.job.Labels[tag]) > 0 && len(m.tags.keys[tag]) > 0
}

// labelledRows is what a month is written from: the view normal, beside it the originals of its labels.
func (p *parsing) labelledRows(m *month) string {
	columns, joins := "", ""
	for _, tag := range outlay.TagKeys() {
		if !p.labelled(m, tag) {
			continue
		}
		columns += ", " + m.tags.tagSQL(tag) + " AS " + ident(labelColumn(tag))
		joins += fmt.Sprintf(" LEFT JOIN (SELECT of_value AS %s, original AS %s FROM labels WHERE of_tag = %s) ON %s = %s",
			ident("of_"+tag), ident("original_"+tag), text(tag), ident("of_"+tag), ident(labelColumn(tag)))
	}
	if joins == "" {
		return "normal"
	}
	return "(SELECT *" + columns + " FROM normal)" + joins
}

// originalSQL is the expression of one tag's column: the original where the value is a known label.
func (p *parsing) originalSQL(m *month, tag string) string {
	if !p.labelled(m, tag) {
		return m.tags.tagSQL(tag)
	}
	return "COALESCE(" + ident("original_"+tag) + ", " + ident(labelColumn(tag)) + ")"
}

func labelColumn(tag string) string { return "label_" + tag }
