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
	rows := labelRows("", p.job.Labels)
	for _, provider := range slices.Sorted(maps.Keys(p.job.LabelsBy)) {
		rows = append(rows, labelRows(provider, p.job.LabelsBy[provider])...)
	}
	if len(rows) == 0 {
		return nil
	}
	if _, err := p.db.ExecContext(ctx, "CREATE TEMP TABLE labels (of_provider VARCHAR, of_tag VARCHAR, of_value VARCHAR, original VARCHAR)"); err != nil {
		return fmt.Errorf("table labels: %w", err)
	}
	for batch := range slices.Chunk(rows, labelBatch) {
		if _, err := p.db.ExecContext(ctx, "INSERT INTO labels VALUES "+strings.Join(batch, ", ")); err != nil {
			return fmt.Errorf("filling the table labels: %w", err)
		}
	}
	return nil
}

// labelRows are the rows of one provider in the table labels.
func labelRows(provider string, labels map[string]map[string]string) []string {
	var rows []string
	for _, tag := range outlay.TagKeys() {
		for _, value := range slices.Sorted(maps.Keys(labels[tag])) {
			rows = append(rows, "("+text(provider)+", "+text(tag)+", "+text(value)+", "+text(labels[tag][value])+")")
		}
	}
	return rows
}

// hasLabels tells whether the job names labels of a tag.
func (p *parsing) hasLabels(tag string) bool {
	for _, labels := range p.job.LabelsBy {
		if len(labels[tag]) > 0 {
			return true
		}
	}
	return len(p.job.Labels[tag]) > 0
}

// labelled tells whether labels of a tag can occur in a month.
func (p *parsing) labelled(m *month, tag string) bool {
	return p.hasLabels(tag) && len(m.tags.keys[tag]) > 0
}

// labelledRows is what a month is written from: the view normal, beside it the originals of its labels.
func (p *parsing) labelledRows(m *month) string {
	columns, joins := "", ""
	for _, tag := range outlay.TagKeys() {
		if p.labelled(m, tag) {
			columns += ", " + m.tags.tagSQL(tag) + " AS " + ident(labelColumn(tag))
			joins += p.originalJoin(tag, ident(labelColumn(tag)))
		}
	}
	if joins == "" {
		return "normal"
	}
	return "(SELECT *" + columns + " FROM normal)" + joins
}

// originalJoin joins what the labels in column stand for, as the column original_<tag>. A label has one meaning of each
// provider, so no row becomes two.
func (p *parsing) originalJoin(tag, column string) string {
	value, provider := ident("of_"+tag), ident("by_"+tag)
	on := value + " = " + column
	if len(p.job.LabelsBy) > 0 {
		on += " AND " + provider + " = lower(COALESCE(ProviderName, ''))"
	}
	return fmt.Sprintf(" LEFT JOIN (SELECT of_value AS %s, of_provider AS %s, original AS %s FROM labels WHERE of_tag = %s) ON %s",
		value, provider, ident(originalColumn(tag)), text(tag), on)
}

// originalSQL is the expression of one tag's column: the original where the value is a known label.
func (p *parsing) originalSQL(m *month, tag string) string {
	if !p.labelled(m, tag) {
		return m.tags.tagSQL(tag)
	}
	return "COALESCE(" + ident(originalColumn(tag)) + ", " + ident(labelColumn(tag)) + ")"
}

func labelColumn(tag string) string    { return "label_" + tag }
func originalColumn(tag string) string { return "original_" + tag }
