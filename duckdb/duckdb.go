// Package duckdb reads delivered cost files and answers queries over published ones, both with the embedded engine.
//
// Reading happens in a child process: Child starts the hidden command whose body is ParseMain, which runs a provider's
// mapping over the files and writes FOCUS Parquet with its rollups and its proof. A crafted file can therefore crash
// only the child (reliability.md M26). Answering happens in this process: Costs keeps one native database file per
// organization and set of published heads, made from their rollups, and reads the lake's own files only for questions
// that no rollup can answer.
package duckdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"

	engine "github.com/duckdb/duckdb-go/v2"
)

// openEngine opens an in-memory database and runs the settings on its first connection. No extension is ever loaded:
// what the build holds (parquet, json, icu, core functions) is all there is.
func openEngine(ctx context.Context, settings []string) (*sql.DB, error) {
	connector, err := engine.NewConnector("", func(driver.ExecerContext) error { return nil })
	if err != nil {
		return nil, fmt.Errorf("opening the engine: %w", err)
	}
	db := sql.OpenDB(connector)
	base := []string{
		"SET autoinstall_known_extensions=false", "SET autoload_known_extensions=false", "SET TimeZone='UTC'",
		"SET preserve_insertion_order=false", "SET enable_progress_bar=false",
	}
	for _, s := range append(base, settings...) {
		if _, err := db.ExecContext(ctx, s); err != nil {
			_ = db.Close()
			return nil, fmt.Errorf("engine setting %q: %w", s, err)
		}
	}
	return db, nil
}

// text quotes s as an SQL text.
func text(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// texts is an SQL list of texts.
func texts(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = text(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// ident quotes s as an SQL name.
func ident(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
