package duckdb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"outlay"
)

// relabel writes a month's files of the lake again with their labels turned back: what a label stands for may become
// known after the month was loaded. Rows keep their order, and nothing but the nine columns may differ. The answer has
// neither the notes nor the columns of the delivery: those stand in the proof of the version that is written again.
func (p *parsing) relabel(ctx context.Context) (out []outlay.ParsedPeriod, err error) {
	if err := p.open(ctx, p.job.Files); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.db.Close()) }()
	if err := p.putLabels(ctx); err != nil {
		return nil, err
	}
	old := &month{period: p.job.Period}
	found := int64(0)
	for _, path := range p.job.Files {
		old.files = append(old.files, outlay.DataFile{Path: path})
		n, err := p.countLabels(ctx, path)
		if err != nil {
			return nil, err
		}
		found += n
	}
	if found == 0 {
		return nil, nil
	}
	m := &month{period: p.job.Period, read: map[string]map[outlay.Measure]string{}}
	if _, m.rows, err = p.readBack(ctx, old, m.read); err != nil {
		return nil, err
	}
	for i, path := range p.job.Files {
		if err := p.relabelFile(ctx, m, path, i); err != nil {
			return nil, err
		}
	}
	parsed := outlay.ParsedPeriod{Period: m.period, Files: m.files, Proof: outlay.Proof{Rows: m.rows, Read: m.read, Written: map[string]map[outlay.Measure]string{}}}
	var rows int64
	if parsed.SubAccounts, rows, err = p.readBack(ctx, m, parsed.Proof.Written); err != nil {
		return nil, err
	}
	if rows != m.rows || !maps.EqualFunc(m.read, parsed.Proof.Written, maps.Equal[map[outlay.Measure]string]) {
		return nil, outlay.Errorf(outlay.CodeInternal, "Nothing was changed. Report this.", "%s was written again with %d charges and the sums %v, not %d and %v", m.period, rows, parsed.Proof.Written, m.rows, m.read)
	}
	parsed.Rollups, err = p.rollUpAll(ctx, m)
	return []outlay.ParsedPeriod{parsed}, err
}

// lakeLabels joins the originals of labels to a file of the lake. tags are those whose column the file has and of which
// labels are named.
func (p *parsing) lakeLabels(columns []column, path string) (from string, tags []string) {
	from = "read_parquet(" + texts([]string{path}) + ")"
	for _, tag := range outlay.TagKeys() {
		if p.hasLabels(tag) && has(columns, outlay.TagColumn(tag)) {
			from += p.originalJoin(tag, ident(outlay.TagColumn(tag)))
			tags = append(tags, tag)
		}
	}
	return from, tags
}

// countLabels counts the charges of a file that carry a label with a meaning.
func (p *parsing) countLabels(ctx context.Context, path string) (n int64, err error) {
	columns, err := describe(ctx, p.db, "SELECT * FROM read_parquet("+texts([]string{path})+")")
	if err != nil {
		return 0, engineFailure(err, "reading a file of the lake")
	}
	from, tags := p.lakeLabels(columns, path)
	if len(tags) == 0 {
		return 0, nil
	}
	var any []string
	for _, tag := range tags {
		any = append(any, ident(originalColumn(tag))+" IS NOT NULL")
	}
	err = p.db.QueryRowContext(ctx, "SELECT count(*) FROM "+from+" WHERE "+strings.Join(any, " OR ")).Scan(&n)
	if err != nil {
		return 0, engineFailure(err, "looking for labels")
	}
	return n, nil
}

// relabelFile writes one file again.
func (p *parsing) relabelFile(ctx context.Context, m *month, path string, n int) error {
	columns, err := describe(ctx, p.db, "SELECT * FROM read_parquet("+texts([]string{path})+")")
	if err != nil {
		return engineFailure(err, "reading a file of the lake")
	}
	from, tags := p.lakeLabels(columns, path)
	var list []string
	for _, c := range outlay.FocusColumns() {
		x := ident(c.Name)
		switch tag := strings.TrimPrefix(c.Name, "tag_"); {
		case !has(columns, c.Name): // written by a version that did not know it
			x = "NULL::" + engineType(c.Type)
		case tag != c.Name && slices.Contains(tags, tag):
			x = "COALESCE(" + ident(originalColumn(tag)) + ", " + x + ")"
		}
		list = append(list, x+" AS "+ident(c.Name))
	}
	to := filepath.Join(p.job.OutDir, fmt.Sprintf("%s-%s-%d.parquet", p.job.Generation, m.period, n))
	result, err := p.db.ExecContext(ctx, fmt.Sprintf("COPY (SELECT %s FROM %s) TO %s (%s)", strings.Join(list, ", "), from, text(to), lakeFormat()))
	if err != nil {
		return engineFailure(err, "writing a file of the lake again")
	}
	rows, err := result.RowsAffected()
	if err != nil {
		return err
	}
	info, err := os.Stat(to)
	if err != nil {
		return err
	}
	m.files = append(m.files, outlay.DataFile{Path: to, Rows: rows, Bytes: info.Size()})
	return nil
}
