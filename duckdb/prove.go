package duckdb

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	engine "github.com/duckdb/duckdb-go/v2"

	"outlay"
)

// paths are a month's files as the engine opens them.
func (m *month) paths() []string {
	var out []string
	for _, f := range m.files {
		out = append(out, f.Path)
	}
	return out
}

// prove reads the written files back and compares rows and sums with those of the scan: the second path.
func (p *parsing) prove(ctx context.Context, m *month) (outlay.Proof, []outlay.SubAccountSum, error) {
	proof := outlay.Proof{Rows: m.rows, Read: m.read, Written: map[string]map[outlay.Measure]string{}, Rounded: m.rounded, SchemaHash: schemaHash(p.batches)}
	for _, b := range p.batches {
		proof.Unknown = merge(proof.Unknown, b.saidUnknown())
		proof.MissingColumns = merge(proof.MissingColumns, b.missing)
	}
	if len(m.files) == 0 {
		return proof, nil, p.differs(m, "%d rows were read first, none later", m.rows)
	}
	accounts, rows, err := p.readBack(ctx, m, proof.Written)
	if err != nil {
		return proof, nil, err
	}
	if rows != m.rows {
		return proof, nil, p.differs(m, "%d rows were read but %d written", m.rows, rows)
	}
	if !maps.EqualFunc(proof.Read, proof.Written, maps.Equal[map[outlay.Measure]string]) {
		return proof, nil, p.differs(m, "the sums written, %v, differ from those read, %v", proof.Written, proof.Read)
	}
	if m.rounded > 0 {
		proof.Notes = append(proof.Notes, fmt.Sprintf("%s had more than %d decimals and %s rounded.", countOf(int(m.rounded), "figure"), costScale, was(m.rounded)))
	}
	for i, measure := range blanks() {
		if m.blank[i] > 0 {
			proof.Notes = append(proof.Notes, fmt.Sprintf("%s had no %s; it counts as 0.", countOf(int(m.blank[i]), "charge"), measure))
		}
	}
	proof.Spellings, err = p.spellings(ctx, m)
	proof.Notes = append(proof.Notes, spellingNotes(proof.Spellings)...)
	return proof, accounts, err
}

// differs refuses a month whose two paths disagree. In all damaged files that were tried it was the file: its own
// figures of what a part holds contradict what the part holds, and the engine trusts now these, now that.
func (p *parsing) differs(m *month, format string, args ...any) error {
	names := fileNames(p.job.Files)
	return invalid(names, redeliver, "%s does not read the same twice, month %s: "+format, append([]any{names, m.period}, args...)...)
}

func was(n int64) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// countOf writes '1 field', '2 fields'.
func countOf(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

func merge(a, b []string) []string {
	out := append(slices.Clone(a), b...)
	slices.Sort(out)
	return slices.Compact(out)
}

// readBack sums a month's files by currency into written, and lists its sub accounts.
func (p *parsing) readBack(ctx context.Context, m *month, written map[string]map[outlay.Measure]string) ([]outlay.SubAccountSum, int64, error) {
	rows, err := p.db.QueryContext(ctx, `SELECT BillingCurrency, COALESCE(ProviderName, ''), COALESCE(SubAccountId, ''), COALESCE(max(SubAccountName), ''), count(*),
		min(ChargePeriodStart), `+throughSQL+`, sum(BilledCost), sum(EffectiveCost), sum(ListCost), sum(ContractedCost)
		FROM read_parquet(`+texts(m.paths())+`) GROUP BY 1, 2, 3`)
	if err != nil {
		return nil, 0, engineFailure(err, "reading the written files back")
	}
	defer func() { _ = rows.Close() }()
	found := map[[2]string]outlay.SubAccountSum{}
	var total int64
	for rows.Next() {
		var currency string
		var a outlay.SubAccountSum
		var from, to time.Time
		var sums [4]engine.Decimal
		if err := rows.Scan(&currency, &a.Provider, &a.ID, &a.Name, &a.Rows, &from, &to, &sums[0], &sums[1], &sums[2], &sums[3]); err != nil {
			return nil, 0, fmt.Errorf("reading the written sums: %w", err)
		}
		a.From, a.To = from.UTC(), to.UTC()
		total += a.Rows
		if err := addSums(written, currency, sums); err != nil {
			return nil, 0, err
		}
		found[[2]string{a.Provider, a.ID}] = joinAccounts(found[[2]string{a.Provider, a.ID}], a)
	}
	if err := rows.Err(); err != nil {
		return nil, 0, engineFailure(err, "reading the written files back")
	}
	out := slices.SortedFunc(maps.Values(found), func(a, b outlay.SubAccountSum) int {
		return cmp.Or(strings.Compare(a.ID, b.ID), strings.Compare(a.Provider, b.Provider))
	})
	return out, total, nil
}

// joinAccounts adds two parts (of two currencies) of the same sub account.
func joinAccounts(a, b outlay.SubAccountSum) outlay.SubAccountSum {
	if a.Rows == 0 {
		return b
	}
	b.Rows += a.Rows
	b.Name = max(a.Name, b.Name)
	if a.From.Before(b.From) {
		b.From = a.From
	}
	if a.To.After(b.To) {
		b.To = a.To
	}
	return b
}
