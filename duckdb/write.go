package duckdb

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"outlay"
)

// Field ids of the keys and values of the map Tags in Parquet and Iceberg: beyond those of outlay.FocusColumns.
const (
	tagKeyID   = 1001
	tagValueID = 1002
)

// lakeOrder is how rows are sorted within a file: it saves a third of the bytes and makes drill-down by account and
// service read few row groups (performance.md §3).
const lakeOrder = "SubAccountId, ServiceName, RegionId, ResourceId, ChargePeriodStart"

// write puts one month of a batch into a Parquet file of the lake. Nothing is written when the batch has no row of it.
func (p *parsing) write(ctx context.Context, batchNo int, m *month, only bool) error {
	path := filepath.Join(p.job.OutDir, fmt.Sprintf("%s-%s-%d.parquet", p.job.Generation, m.period, batchNo))
	where := ""
	if !only {
		where = fmt.Sprintf(" WHERE BillingPeriodStart >= %s AND BillingPeriodStart < %s", timestamp(m.period.Start()), timestamp(m.period.End()))
	}
	same := p.batches[batchNo].constants
	outer, inner := p.lakeColumns(m, same)
	query := fmt.Sprintf("COPY (SELECT %s FROM (SELECT %s FROM %s%s ORDER BY %s)) TO %s (%s)",
		outer, inner, p.labelledRows(m), where, same.without(lakeOrder), text(path), lakeFormat())
	result, err := p.db.ExecContext(ctx, query)
	if err != nil {
		return err
	}
	rows, err := result.RowsAffected()
	if err != nil {
		return err
	}
	if rows == 0 {
		return os.Remove(path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	m.files = append(m.files, outlay.DataFile{Path: path, Rows: rows, Bytes: info.Size()})
	return nil
}

// lakeColumns lists the stored columns in order, twice: as they are written, and those of them that pass the sort.
func (p *parsing) lakeColumns(m *month, same constants) (outer, inner string) {
	var written, sorted []string
	for _, c := range outlay.FocusColumns() {
		name := ident(c.Name)
		value, constant := same[c.Name]
		x := name
		switch {
		case c.Name == "x_SourceId":
			value, constant = &p.job.SourceID, true
		case c.Name == "x_Period":
			period := string(m.period)
			value, constant = &period, true
		case c.Name == "Tags":
			x = m.tags.restSQL()
		case strings.HasPrefix(c.Name, "tag_"):
			x = p.originalSQL(m, strings.TrimPrefix(c.Name, "tag_"))
		}
		switch {
		case constant:
			written = append(written, literal(value)+" AS "+name)
		case strings.HasPrefix(x, "NULL::"):
			written = append(written, x+" AS "+name)
		default:
			written = append(written, name)
			sorted = append(sorted, x+" AS "+name)
		}
	}
	return strings.Join(written, ", "), strings.Join(sorted, ", ")
}

// lakeFormat is how a file of the lake is written.
func lakeFormat() string {
	return "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, ROW_GROUP_SIZE 122880, FIELD_IDS {" + fieldIDs() + "}"
}

// fieldIDs names the Iceberg field id of every stored column.
func fieldIDs() string {
	var list []string
	for _, c := range outlay.FocusColumns() {
		if c.Type == outlay.FocusTextMap {
			list = append(list, fmt.Sprintf("%s: {__duckdb_field_id: %d, key: %d, value: %d}", ident(c.Name), c.ID, tagKeyID, tagValueID))
			continue
		}
		list = append(list, fmt.Sprintf("%s: %d", ident(c.Name), c.ID))
	}
	return strings.Join(list, ", ")
}

// timestamp is t as an SQL literal.
func timestamp(t time.Time) string {
	return "TIMESTAMP " + text(t.UTC().Format("2006-01-02 15:04:05.999999"))
}
