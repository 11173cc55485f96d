package duckdb

import (
	"context"
	"fmt"
	"strings"
	"time"

	engine "github.com/duckdb/duckdb-go/v2"

	"outlay"
)

// monthSQL is the billing month of a row.
const monthSQL = "date_trunc('month', BillingPeriodStart)"

// throughSQL is the exclusive end of the newest charge. One that is longer than its day (a tax or a fee of the whole
// month) counts through the day that it begins, where every figure of it stands: it says nothing of the days to come.
const throughSQL = "max(greatest(ChargePeriodStart, least(ChargePeriodEnd, date_trunc('day', ChargePeriodStart) + INTERVAL 1 DAY)))"

// scanQuery counts and sums a batch by month and currency, before anything is written: the first path of the proof.
func scanQuery() string {
	list := []string{monthSQL + " AS month", "BillingCurrency", "count(*)", "sum(rounded)::BIGINT", throughSQL,
		"min(least(ChargePeriodStart, ChargePeriodEnd))", "max(greatest(ChargePeriodStart, ChargePeriodEnd))"}
	for _, m := range outlay.Measures() {
		list = append(list, "sum("+string(m)+")")
	}
	var whole []string
	for _, c := range outlay.FocusColumns() {
		if c.Required {
			whole = append(whole, "count("+ident(c.Name)+")")
		}
	}
	list = append(list, "least("+strings.Join(whole, ", ")+")")
	for _, m := range blanks() {
		list = append(list, "count_if("+blankColumn(string(m))+")")
	}
	return "SELECT " + strings.Join(list, ", ") + " FROM normal GROUP BY 1, 2"
}

// blanks are the measures that may be blank on single rows.
func blanks() [2]outlay.Measure { return [2]outlay.Measure{outlay.List, outlay.Contracted} }

// scan reads a batch once and adds what it holds to the months. Every refusal of a value happens here or in write.
func (p *parsing) scan(ctx context.Context, b batch, months map[outlay.Period]*month) error {
	rows, err := p.db.QueryContext(ctx, scanQuery())
	if err != nil {
		return p.diagnose(ctx, b, err)
	}
	defer func() { _ = rows.Close() }()
	var total int64
	for rows.Next() {
		g, err := scanGroup(rows.Scan)
		if err != nil {
			return fmt.Errorf("reading the scan: %w", err)
		}
		total += g.rows
		if g.whole != g.rows || g.lacksColumn(b) {
			_ = rows.Close()
			return p.emptyValue(ctx, b)
		}
		period := outlay.PeriodOf(g.month)
		if !plausible(g.month) || !plausible(g.first) || !plausible(g.last) {
			_ = rows.Close()
			return p.strangeTime(ctx, b)
		}
		if p.job.Period != "" && period != p.job.Period {
			_ = rows.Close()
			return p.wrongMonth(ctx, b, period)
		}
		if err := g.addTo(months, period); err != nil {
			return err
		}
		months[period].holds(b.half)
	}
	if err := rows.Err(); err != nil {
		return p.diagnose(ctx, b, err)
	}
	if err := rows.Close(); err != nil {
		return fmt.Errorf("closing the scan: %w", err)
	}
	if err := b.checkCount(total); err != nil {
		return p.structure(b, err)
	}
	return p.scanKeys(ctx, b, months)
}

// plausible tells whether a time can be of a bill.
func plausible(t time.Time) bool { return t.Year() >= 2000 && t.Year() < 2200 }

// checkCount compares the rows read with the records counted in the bytes of CSV files.
func (b batch) checkCount(total int64) error {
	if b.parquet() {
		return nil // the engine takes the count from the file's own figures
	}
	var want int64
	for _, f := range b.files {
		want += f.rows
	}
	if total != want {
		return invalid(b.names(), redeliver, "%s: %d records were read, but the file holds %d", b.names(), total, want)
	}
	return nil
}

// group is one line of the scan.
type group struct {
	month, first, last   time.Time
	through              time.Time // as throughSQL has it
	currency             string
	rows, rounded, whole int64
	sums                 [4]engine.Decimal
	blank                [2]int64 // rows without a measure of blanks
}

// lacksColumn tells whether the group has blanks because the files lack the column.
func (g group) lacksColumn(b batch) bool {
	for i, m := range blanks() {
		if g.blank[i] > 0 && b.kind(string(m)) == "" {
			return true
		}
	}
	return false
}

func scanGroup(scan func(...any) error) (group, error) {
	var g group
	var month, first, last, through *time.Time
	var currency *string
	var sums [4]*engine.Decimal
	err := scan(&month, &currency, &g.rows, &g.rounded, &through, &first, &last, &sums[0], &sums[1], &sums[2], &sums[3], &g.whole, &g.blank[0], &g.blank[1])
	if err != nil {
		return g, err
	}
	if month == nil || first == nil || last == nil || through == nil || currency == nil {
		g.whole = -1 // a required value is missing; the rest does not matter
		return g, nil
	}
	g.month, g.first, g.last, g.through, g.currency = *month, *first, *last, *through, *currency
	for i, s := range sums {
		if s == nil {
			g.whole = -1
			return g, nil
		}
		g.sums[i] = *s
	}
	return g, nil
}

// addTo adds the group to its month.
func (g group) addTo(months map[outlay.Period]*month, period outlay.Period) error {
	m := months[period]
	if m == nil {
		m = &month{period: period, read: map[string]map[outlay.Measure]string{}}
		months[period] = m
	}
	m.rows += g.rows
	m.rounded += g.rounded
	for i, n := range g.blank {
		m.blank[i] += n
	}
	if g.through.After(m.through) {
		m.through = g.through
	}
	return addSums(m.read, g.currency, g.sums)
}

// addSums adds four sums to those of a currency.
func addSums(to map[string]map[outlay.Measure]string, currency string, sums [4]engine.Decimal) error {
	if to[currency] == nil {
		to[currency] = map[outlay.Measure]string{}
	}
	for i, measure := range outlay.Measures() {
		sum := outlay.NewAmount(sums[i].Value, int(sums[i].Scale), currency)
		if old := to[currency][measure]; old != "" {
			before, err := outlay.ParseAmount(old, currency)
			if err != nil {
				return err
			}
			sum = sum.Add(before)
		}
		to[currency][measure] = sum.String()
	}
	return nil
}

// scanKeys finds the tag keys that occur in each month.
func (p *parsing) scanKeys(ctx context.Context, b batch, months map[outlay.Period]*month) error {
	rows, err := p.db.QueryContext(ctx, "SELECT DISTINCT month, unnest(keys) FROM (SELECT DISTINCT "+monthSQL+
		" AS month, map_keys(Tags) AS keys FROM normal WHERE Tags IS NOT NULL)")
	if err != nil {
		return p.diagnose(ctx, b, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var start time.Time
		var key *string
		if err := rows.Scan(&start, &key); err != nil {
			return fmt.Errorf("reading the tag keys: %w", err)
		}
		if key == nil {
			return invalid(b.names()+", column Tags", redeliver, "%s: a tag has no key", b.names())
		}
		if m := months[outlay.PeriodOf(start)]; m != nil {
			m.keys = append(m.keys, *key)
		}
	}
	if err := rows.Err(); err != nil {
		return p.diagnose(ctx, b, err)
	}
	return nil
}
