package duckdb

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"outlay"
)

// column is one column of a file or view, with the engine's type.
type column struct{ name, kind string }

// batch is the files of a job that have the same format and columns: one view, one COPY.
type batch struct {
	files   []input
	columns []column
	unknown []string // columns that FOCUS does not name
	missing []string // FOCUS columns that the files lack
	// half is what the files are of a bill that several kinds make together; the zero format otherwise.
	half outlay.ParseFormat

	constants constants // columns of one value, found by the scan
}

// paths are the files as the engine opens them.
func (b batch) paths() []string {
	out := make([]string, len(b.files))
	for i, f := range b.files {
		out[i] = f.path
	}
	return out
}

// names are the files for people.
func (b batch) names() string {
	out := make([]string, len(b.files))
	for i, f := range b.files {
		out[i] = f.name
	}
	return fileNames(out)
}

// file is the input that the engine knows under a path.
func (b batch) file(path string) input {
	for _, f := range b.files {
		if f.path == path {
			return f
		}
	}
	return b.files[0]
}

func (b batch) parquet() bool { return b.files[0].parquet }

// kind is the type of a delivered column, whatever its case; "" when the files lack it.
func (b batch) kind(name string) string {
	for _, c := range b.columns {
		if strings.EqualFold(c.name, name) {
			return c.kind
		}
	}
	return ""
}

// batches sorts the inputs by format and columns, in order of first appearance.
func batches(ctx context.Context, db *sql.DB, inputs []input) ([]batch, error) {
	var out []batch
	index := map[string]int{}
	for _, in := range inputs {
		columns, err := columnsOf(ctx, db, in)
		if err != nil {
			return nil, err
		}
		key := fmt.Sprint(in.parquet, columns)
		at, known := index[key]
		if !known {
			at = len(out)
			index[key] = at
			out = append(out, batch{columns: columns})
		}
		out[at].files = append(out[at].files, in)
	}
	for i := range out {
		out[i].compare()
	}
	return out, nil
}

// caseMark parts a delivered name from a number, where another column differs from it in letter case alone: the engine
// does not tell these apart. A mapping that makes keys of names cuts it off.
const caseMark = "\x1f"

// apart gives each name of a header as the engine takes it.
func apart(header []string) []string {
	out := make([]string, len(header))
	seen := map[string]int{}
	for i, name := range header {
		folded := strings.ToLower(name)
		if seen[folded]++; seen[folded] > 1 {
			name = fmt.Sprint(name, caseMark, seen[folded])
		}
		out[i] = name
	}
	return out
}

// said is a name as it was delivered.
func said(name string) string {
	name, _, _ = strings.Cut(name, caseMark)
	return name
}

// isFocus tells whether FOCUS names a column so, in whatever letter case.
func isFocus(name string) bool {
	return slices.ContainsFunc(outlay.FocusColumns(), func(c outlay.FocusColumn) bool { return strings.EqualFold(c.Name, name) })
}

// columnsOf lists a file's columns. Those of CSV are all texts.
func columnsOf(ctx context.Context, db *sql.DB, in input) ([]column, error) {
	if !in.parquet {
		out := make([]column, len(in.header))
		for i, name := range apart(in.header) {
			out[i] = column{name, "VARCHAR"}
		}
		return out, nil
	}
	out, err := describe(ctx, db, "SELECT * FROM read_parquet("+texts([]string{in.path})+")")
	if err != nil {
		return nil, unreadable(in, err)
	}
	if len(out) > maxColumns {
		return nil, invalid(in.name, "", "%s has %d columns; at most %d are read", in.name, len(out), maxColumns)
	}
	return out, nil
}

// describe lists the columns that a SELECT yields.
func describe(ctx context.Context, db *sql.DB, query string) ([]column, error) {
	rows, err := db.QueryContext(ctx, "SELECT column_name, column_type FROM (DESCRIBE "+query+")")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []column
	for rows.Next() {
		var c column
		if err := rows.Scan(&c.name, &c.kind); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// delivered tells whether a column of the lake can come from a delivery: ours alone are where a row came from, the
// tags taken out of Tags, and what is left over.
func delivered(name string) bool {
	return !strings.HasPrefix(name, "x_") && !strings.HasPrefix(name, "tag_")
}

// compare fills unknown and missing.
func (b *batch) compare() {
	focus := map[string]bool{}
	for _, c := range outlay.FocusColumns() {
		if !delivered(c.Name) {
			continue
		}
		focus[strings.ToLower(c.Name)] = true
		if b.kind(c.Name) == "" {
			b.missing = append(b.missing, c.Name)
		}
	}
	for _, c := range b.columns {
		if !focus[strings.ToLower(c.name)] {
			b.unknown = append(b.unknown, c.name)
		}
	}
	slices.Sort(b.unknown)
}

// saidUnknown is unknown as it was delivered.
func (b batch) saidUnknown() []string {
	out := make([]string, len(b.unknown))
	for i, name := range b.unknown {
		out[i] = said(name)
	}
	return out
}

// scanSQL is the table function that reads the batch. With trace it adds the columns filename and file_row_number
// (Parquet only), for telling where a bad value is.
func (b batch) scanSQL(trace bool) string { return b.tableSQL(trace, trace) }

// tableSQL is scanSQL with the columns filename and file_row_number chosen one by one.
func (b batch) tableSQL(filename, row bool) string {
	if b.parquet() {
		extra := ""
		if filename {
			extra = ", filename=true"
		}
		if row {
			extra += ", file_row_number=true"
		}
		return "read_parquet(" + texts(b.paths()) + extra + ")"
	}
	var columns []string
	for _, c := range b.columns {
		columns = append(columns, text(c.name)+": 'VARCHAR'")
	}
	// The line end is left to the engine: told '\r\n', DuckDB 1.5.5 reads no row and reports no error.
	return fmt.Sprintf(`read_csv(%s, auto_detect=false, header=true, delim=',', quote='"', escape='"', nullstr=['', 'NULL'],`+
		` strict_mode=true, filename=%t, columns={%s})`, texts(b.paths()), filename, strings.Join(columns, ", "))
}

// rawSQL is the view raw: every delivered column, every FOCUS column that lacks as NULL, x_Other, and with names the
// column x_FileName.
func (b batch) rawSQL(names bool) string {
	var list []string
	for _, c := range b.columns {
		if slices.Contains(b.unknown, c.name) && (!delivered(c.name) && reserved(c.name)) || names && strings.EqualFold(c.name, "x_FileName") {
			continue // kept in x_Other only: the name is ours
		}
		list = append(list, ident(c.name))
	}
	for _, name := range b.missing {
		list = append(list, "NULL::VARCHAR AS "+ident(name))
	}
	list = append(list, b.otherSQL()+" AS x_Other")
	if names {
		list = append(list, b.nameSQL()+" AS x_FileName")
	}
	return "SELECT " + strings.Join(list, ", ") + " FROM " + b.tableSQL(names, false)
}

// nameSQL is the name for people of the file that a row is from: the engine may have read an unpacked copy.
func (b batch) nameSQL() string {
	out := "CASE filename"
	for _, f := range b.files {
		out += " WHEN " + text(f.path) + " THEN " + text(f.name)
	}
	return out + " END"
}

// reserved tells whether a name is a column of the lake that no delivery may set.
func reserved(name string) bool {
	return slices.ContainsFunc(outlay.FocusColumns(), func(c outlay.FocusColumn) bool { return strings.EqualFold(c.Name, name) && !delivered(c.Name) })
}

// otherSQL makes the columns that FOCUS does not name into one JSON object; NULL when none holds a value.
func (b batch) otherSQL() string {
	if len(b.unknown) == 0 {
		return "NULL::VARCHAR"
	}
	var parts []string
	for _, name := range b.unknown {
		key, err := json.Marshal(said(name))
		if err != nil {
			key = []byte(`""`) // a string always marshals
		}
		parts = append(parts, text(string(key)+":")+" || CAST(to_json("+ident(name)+") AS VARCHAR)")
	}
	return "NULLIF('{' || concat_ws(',', " + strings.Join(parts, ", ") + ") || '}', '{}')"
}

// schemaHash identifies the set of columns of a whole job.
func schemaHash(list []batch) string {
	var lines []string
	for _, b := range list {
		for _, c := range b.columns {
			lines = append(lines, c.name+" "+c.kind)
		}
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(slices.Compact(lines), "\n")))
	return hex.EncodeToString(sum[:])
}
