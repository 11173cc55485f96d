package google

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"

	_ "github.com/duckdb/duckdb-go/v2" // the driver "duckdb"
)

// data opens the database that holds the rows. One connection: temporary tables and results live in it.
func (c *Cloud) data() (*sql.DB, error) {
	if c.db != nil {
		return c.db, nil
	}
	db, err := sql.Open("duckdb", filepath.Join(c.opt.Dir, "data.duckdb")+"?threads=2&memory_limit=1GB")
	if err != nil {
		return nil, fmt.Errorf("opening the data of the simulated cloud: %w", err)
	}
	db.SetMaxOpenConns(1)
	c.db = db
	return db, nil
}

// exec runs statements one after the other.
func (c *Cloud) exec(ctx context.Context, statements ...string) error {
	db, err := c.data()
	if err != nil {
		return err
	}
	for _, s := range statements {
		if _, err := db.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%w, in %.200s", err, s)
		}
	}
	return nil
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func sqlText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// physical is where a table's rows are.
func physical(d *dataset, t *table) string { return quoted(d.key()) + "." + quoted(t.ID) }

// describe gives the columns of a query or table, without the pseudo-column of the partition.
func (c *Cloud) describe(ctx context.Context, query string) ([]column, error) {
	db, err := c.data()
	if err != nil {
		return nil, err
	}
	rows, err := db.QueryContext(ctx, "SELECT column_name, column_type FROM (DESCRIBE "+query+")")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []column
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return nil, err
		}
		if name == partitionTime {
			continue
		}
		col, err := parseType(name, text)
		if err != nil {
			return nil, err
		}
		out = append(out, col)
	}
	return out, rows.Err()
}

// partitionTime is BigQuery's pseudo-column of tables cut by time of ingestion; here a real one, which SELECT * leaves out.
const partitionTime = "_PARTITIONTIME"

// dropTable deletes a table and its rows.
func (c *Cloud) dropTable(d *dataset, t *table) error {
	if t.Kind != "view" && t.stored() {
		if err := c.exec(context.Background(), "DROP TABLE IF EXISTS "+physical(d, t)); err != nil {
			return err
		}
	}
	delete(d.Tables, t.ID)
	d.touch(c.opt.Now())
	return nil
}

// stored tells whether the table has rows in the database: a planted one has none.
func (t *table) stored() bool { return len(t.Columns) > 0 && !t.Foreign }

// dropDataset deletes a dataset with all that is in it.
func (c *Cloud) dropDataset(d *dataset) error {
	for _, t := range d.Tables {
		if err := c.dropTable(d, t); err != nil {
			return err
		}
	}
	delete(c.state.Datasets, d.key())
	return nil
}

// count brings what is known of a table up to date with its rows.
func (c *Cloud) count(ctx context.Context, d *dataset, t *table) error {
	db, err := c.data()
	if err != nil {
		return err
	}
	if err := db.QueryRowContext(ctx, "SELECT count(*), count(*) FILTER ("+partitionTime+" IS NULL) FROM "+physical(d, t)).Scan(&t.Rows, &t.Buffered); err != nil {
		return err
	}
	t.Bytes = 0
	for _, col := range t.Columns {
		t.Bytes += col.bytes() * t.Rows
	}
	t.touch(c.opt.Now())
	return nil
}
