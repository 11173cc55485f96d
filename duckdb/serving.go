package duckdb

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"outlay"
)

// serving is one organization's rollups of one set of heads, in a database file of their own: attached read-only, and
// replaced as a whole when a head changes (performance.md §8.6: a file is never renamed over one that is open).
type serving struct {
	schema   string // its name among the attached databases
	path     string
	heads    []outlay.Head
	overlaps []outlay.Overlap
	from, to time.Time // days that hold charges
	scales   scales    // which costs are one column
}

// hashHeads names a set of heads: the same set makes the same rollups.
func hashHeads(orgID string, heads []outlay.Head) string {
	lines := []string{orgID}
	for _, h := range heads {
		lines = append(lines, fmt.Sprint(h.SourceID, " ", h.Period, " ", h.Generation, " ", rank(h), " ", h.Rollups))
	}
	slices.Sort(lines[1:])
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:16])
}

// build makes a serving database from the heads' rollups and attaches it.
func (c *Costs) build(ctx context.Context, heads []outlay.Head) (*serving, error) {
	heads = slices.SortedFunc(slices.Values(heads), func(a, b outlay.Head) int {
		return cmp.Or(strings.Compare(string(a.Period), string(b.Period)), strings.Compare(a.SourceID, b.SourceID))
	})
	n := c.serial.Add(1)
	s := &serving{schema: fmt.Sprintf("serving%d", n), path: filepath.Join(c.dir, fmt.Sprintf("%d.duckdb", n)), heads: heads}
	s.span()
	making, schema := s.path+".new", fmt.Sprintf("making%d", n)
	conn, err := c.db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("connecting to the engine: %w", err)
	}
	defer func() { _ = conn.Close() }()
	run := func(query string) error {
		if _, err := conn.ExecContext(ctx, query); err != nil {
			return engineFailure(err, "making the serving database")
		}
		return nil
	}
	if err := run("ATTACH " + text(making) + " AS " + schema); err != nil {
		return nil, err
	}
	err = s.fill(ctx, conn, schema, run)
	if err := errors.Join(err, run("DETACH "+schema)); err != nil { // detaching writes everything to the file
		return nil, errors.Join(err, removeIfThere(making), removeIfThere(making+".wal"))
	}
	if err := os.Rename(making, s.path); err != nil {
		return nil, fmt.Errorf("naming the serving database: %w", err)
	}
	if err := run("ATTACH " + text(s.path) + " AS " + s.schema + " (READ_ONLY)"); err != nil {
		return nil, errors.Join(err, removeIfThere(s.path))
	}
	if s.overlaps, err = readOverlaps(ctx, conn, s.schema); err != nil {
		return nil, errors.Join(err, run("DETACH "+s.schema), removeIfThere(s.path))
	}
	return s, nil
}

// fill makes the tables of the serving database.
func (s *serving) fill(ctx context.Context, conn *sql.Conn, schema string, run func(string) error) (err error) {
	if s.scales, err = findScales(ctx, conn, s.heads); err != nil {
		return err
	}
	for _, query := range buildSQL(schema, s.heads, s.scales) {
		if err := run(query); err != nil {
			return err
		}
	}
	return nil
}

// span finds the days that hold charges.
func (s *serving) span() {
	for _, h := range s.heads {
		for _, a := range h.SubAccounts {
			if s.from.IsZero() || a.From.Before(s.from) {
				s.from = a.From
			}
		}
		if h.DataThrough.After(s.to) {
			s.to = h.DataThrough
		}
	}
	const day = 24 * time.Hour
	s.from = s.from.UTC().Truncate(day)
	if through := s.to.UTC().Truncate(day); through.Before(s.to) {
		s.to = through.Add(day)
	} else {
		s.to = through
	}
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// buildSQL are the statements that fill an empty serving database.
func buildSQL(schema string, heads []outlay.Head, fit scales) []string {
	out := []string{
		"CREATE TABLE " + schema + ".claims AS " + claimsSQL("("+rollups()[0].rowsSQL(0, heads)+")"),
		"CREATE TABLE " + schema + ".losers AS " + losersSQL(schema+".claims"),
	}
	out = append(out, enumSQL(schema, heads)...)
	for i, r := range rollups() {
		out = append(out, r.serveSQL(schema, "("+r.rowsSQL(i, heads)+")", fit))
		for _, d := range dimensions() {
			if d.name != "" && slices.Contains(r.names, d.name) {
				key, name := ident(d.column), ident(d.name)
				out = append(out, fmt.Sprintf("CREATE TABLE %s.%s AS SELECT key, arg_max(name, (day, name)) AS name FROM "+
					"(SELECT %s AS key, %s AS name, max(day) AS day FROM %s WHERE %s <> '' AND %s <> '' GROUP BY 1, 2) GROUP BY 1",
					schema, ident(nameTable(d.column)), key, name, r.filesSQL(i, heads), key, name))
			}
		}
	}
	return out
}

// enumSQL makes the types of the coded columns: all their values, in order, so that codes sort as texts do.
func enumSQL(schema string, heads []outlay.Head) []string {
	var out []string
	for _, column := range enumColumns() {
		values := []string{"SELECT '' AS v"}
		switch column {
		case "x_SourceId", "x_Period":
			for _, h := range heads {
				v := h.SourceID
				if column == "x_Period" {
					v = string(h.Period)
				}
				values = append(values, "SELECT "+text(v))
			}
		default:
			for i, r := range rollups() {
				if r.has(column) {
					values = append(values, "SELECT DISTINCT "+ident(column)+" FROM "+r.filesSQL(i, heads))
				}
			}
		}
		out = append(out, fmt.Sprintf("CREATE TYPE %s.%s AS ENUM (SELECT v FROM (%s) GROUP BY v ORDER BY v)",
			schema, ident(enumType(column)), strings.Join(values, " UNION ALL ")))
	}
	return out
}

// filesSQL reads the i-th rollup of all heads.
func (r rollup) filesSQL(i int, heads []outlay.Head) string {
	if len(heads) == 0 {
		return "(" + r.empty() + ")"
	}
	var files []string
	for _, h := range heads {
		files = append(files, h.Rollups[i])
	}
	return "read_parquet(" + texts(files) + ")"
}

// rowsSQL reads them head by head, with what each row's head says of it: the source, the month, and the origin's rank.
func (r rollup) rowsSQL(i int, heads []outlay.Head) string {
	if len(heads) == 0 {
		return "SELECT *, ''::VARCHAR AS x_SourceId, ''::VARCHAR AS x_Period, 0 AS rank FROM (" + r.empty() + ")"
	}
	var parts []string
	for _, h := range heads {
		parts = append(parts, fmt.Sprintf("SELECT *, %s AS x_SourceId, %s AS x_Period, %d AS rank FROM read_parquet(%s)",
			text(h.SourceID), text(string(h.Period)), rank(h), texts([]string{h.Rollups[i]})))
	}
	return strings.Join(parts, " UNION ALL ")
}

// enumColumns are the columns of the serving tables that are coded.
func enumColumns() []string {
	out := []string{"BillingCurrency"}
	for _, d := range dimensions() {
		out = append(out, d.column)
	}
	return out
}

// empty is a SELECT of the rollup's columns without rows.
func (r rollup) empty() string {
	list := []string{"NULL::DATE AS day"}
	for _, c := range slices.Concat(r.columns, r.names) {
		list = append(list, "NULL::VARCHAR AS "+ident(c))
	}
	list = append(list, "0::BIGINT AS charges")
	for _, m := range outlay.Measures() {
		list = append(list, "0::"+wholeType+" AS "+ident(wholeColumn(m)), "0::"+restType+" AS "+ident(restColumn(m)))
	}
	return "SELECT " + strings.Join(list, ", ") + " WHERE false"
}

// serveSQL makes the rollup's serving table: coded, less what lost to another source. The months come in order and each
// file is sorted by day, so that a range of days reads few row groups.
func (r rollup) serveSQL(schema, rows string, fit scales) string {
	list := []string{"day"}
	for _, c := range append(slices.Clone(r.columns), "x_SourceId", "x_Period") {
		list = append(list, fmt.Sprintf("CAST(r.%s AS %s.%s) AS %s", ident(c), schema, ident(enumType(c)), ident(c)))
	}
	list = append(list, "charges")
	for _, m := range outlay.Measures() {
		list = append(list, fit.columns(m)...)
	}
	return fmt.Sprintf("CREATE TABLE %s.%s AS SELECT %s FROM %s r WHERE NOT EXISTS (SELECT 1 FROM %s.losers l WHERE %s)",
		schema, r.name, strings.Join(list, ", "), rows, schema, lostSQL("r", "l"))
}

// readOverlaps lists what lost to what.
func readOverlaps(ctx context.Context, conn *sql.Conn, schema string) ([]outlay.Overlap, error) {
	rows, err := conn.QueryContext(ctx, "SELECT account, period, winner, source FROM "+schema+".losers ORDER BY period, account, source")
	if err != nil {
		return nil, engineFailure(err, "reading overlaps")
	}
	defer func() { _ = rows.Close() }()
	var out []outlay.Overlap
	for rows.Next() {
		var o outlay.Overlap
		if err := rows.Scan(&o.SubAccountID, &o.Period, &o.Winner, &o.Loser); err != nil {
			return nil, fmt.Errorf("reading overlaps: %w", err)
		}
		out = append(out, o)
	}
	return out, rows.Err()
}
