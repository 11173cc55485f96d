package lake

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"outlay"
)

// tableName is the one table of an organization's namespace.
const tableName = "charges"

func ident(orgID string) table.Identifier { return table.Identifier{orgID, tableName} }

// load is an organization's table; CodeNotFound before its first commit.
func (l *Lake) load(ctx context.Context, orgID string) (*table.Table, error) {
	t, err := l.catalog.LoadTable(ctx, ident(orgID))
	if errors.Is(err, catalog.ErrNoSuchTable) {
		return nil, outlay.Errorf(outlay.CodeNotFound, "", "there are no charges yet")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the lake's table: %w", err)
	}
	return t, nil
}

// loadOrCreate is load for writers: it makes the table when it is absent, and adds columns that it lacks.
func (l *Lake) loadOrCreate(ctx context.Context, orgID string) (*table.Table, error) {
	t, err := l.load(ctx, orgID)
	if err == nil {
		return l.evolve(ctx, orgID, t)
	}
	if outlay.CodeOf(err) != outlay.CodeNotFound {
		return nil, err
	}
	if err := l.catalog.CreateNamespace(ctx, table.Identifier{orgID}, nil); err != nil && !errors.Is(err, catalog.ErrNamespaceAlreadyExists) {
		if ok, _ := l.catalog.CheckNamespaceExists(ctx, table.Identifier{orgID}); !ok {
			return nil, fmt.Errorf("making the lake's namespace: %w", err)
		}
	}
	createErr := l.create(ctx, orgID, schema())
	t, err = l.load(ctx, orgID)
	if err != nil && createErr != nil {
		return nil, createErr // not merely that another writer was first
	}
	return t, err
}

// create makes the table by a commit that asserts its absence. The catalog's own CreateTable would number the columns
// anew, and the files carry our ids.
func (l *Lake) create(ctx context.Context, orgID string, s *iceberg.Schema) error {
	spec := partitioning(s)
	unsorted := table.UnsortedSortOrder
	updates := []table.Update{
		table.NewUpgradeFormatVersionUpdate(2),
		table.NewAddSchemaUpdate(s),
		table.NewSetCurrentSchemaUpdate(-1),
		table.NewAddPartitionSpecUpdate(&spec, true),
		table.NewSetDefaultSpecUpdate(-1),
		table.NewAddSortOrderUpdate(&unsorted),
		table.NewSetDefaultSortOrderUpdate(-1),
		table.NewSetLocationUpdate(location(l.tableDir(orgID))),
		table.NewSetPropertiesUpdate(tableProperties()),
	}
	if _, _, err := l.catalog.CommitTable(ctx, ident(orgID), []table.Requirement{table.AssertCreate()}, updates); err != nil {
		return fmt.Errorf("making the lake's table: %w", err)
	}
	return nil
}

// tableProperties: full bounds for the partition columns only (a figure of every column of every file would make each
// commit slow), a bounded trail of metadata files, and no hidden retries: we look again before we repeat.
func tableProperties() iceberg.Properties {
	return iceberg.Properties{
		table.DefaultWriteMetricsModeKey:                    "counts",
		table.MetricsModeColumnConfPrefix + ".x_SourceId":   "full",
		table.MetricsModeColumnConfPrefix + ".x_Period":     "full",
		table.MetricsModeColumnConfPrefix + ".SubAccountId": "truncate(32)",
		table.MetadataDeleteAfterCommitEnabledKey:           "true",
		table.MetadataPreviousVersionsMaxKey:                "20",
		table.CommitNumRetriesKey:                           "0",
		table.ManifestMergeEnabledKey:                       "true",
		table.ManifestMinMergeCountKey:                      "20",
	}
}

// lostRace tells whether a commit failed because another writer was first. It comes in two forms
// (test-infrastructure.md R7), and SQLite adds a third: the lock of its file.
func lostRace(err error) bool {
	if err == nil {
		return false
	}
	text := err.Error()
	return errors.Is(err, table.ErrCommitFailed) || strings.Contains(text, "requirement failed") ||
		strings.Contains(text, "database is locked") || strings.Contains(text, "SQLSTATE 40001") || strings.Contains(text, "SQLSTATE 40P01")
}

// commitTries bounds how often a commit is repeated after lost races.
const commitTries = 60

// again runs try until it neither fails nor loses a race. Each try must load the table itself.
func again(ctx context.Context, try func() error) error {
	var err error
	for n := range commitTries {
		if err = try(); !lostRace(err) {
			return err
		}
		wait := time.NewTimer(time.Duration(min(n+1, 10)) * 5 * time.Millisecond)
		select {
		case <-ctx.Done():
			wait.Stop()
			return ctx.Err()
		case <-wait.C:
		}
	}
	return outlay.Errorf(outlay.CodeUnavailable, "It is tried again by itself.", "the lake was too busy: %w", err)
}
