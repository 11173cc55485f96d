package lake

import (
	"context"
	"fmt"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// evolve adds to a table the columns that a newer version of the program stores. Ids never change, so files that were
// written before stay readable: they have no value in the new columns.
func (l *Lake) evolve(ctx context.Context, orgID string, t *table.Table) (*table.Table, error) {
	wanted, missing := schema(), false
	for _, f := range wanted.Fields() {
		if _, ok := t.Schema().FindFieldByID(f.ID); !ok {
			missing = true
		}
	}
	if !missing {
		return t, nil
	}
	merged := iceberg.NewSchema(t.Schema().ID+1, wanted.Fields()...)
	_, _, err := l.catalog.CommitTable(ctx, ident(orgID),
		[]table.Requirement{table.AssertTableUUID(t.Metadata().TableUUID()), table.AssertCurrentSchemaID(t.Schema().ID)},
		[]table.Update{table.NewAddSchemaUpdate(merged), table.NewSetCurrentSchemaUpdate(-1)})
	if err != nil {
		return nil, fmt.Errorf("adding columns to the lake's table: %w", err)
	}
	return l.load(ctx, orgID)
}
