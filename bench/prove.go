package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"outlay"
)

// prove adds up the lake, r1 and r3 by provider, month and currency, and holds them against each other and against the
// generator's own totals: equal to the last digit (B13).
func (b *run) prove(ctx context.Context) error {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	different, compared := 0, 0
	for _, h := range b.heads {
		lake, err := sums(ctx, db, h.Files[0].Path, "sum(%s)::VARCHAR")
		if err != nil {
			return err
		}
		want, total := b.totals[h.Period].Sums, map[outlay.Measure]outlay.Amount{}
		for _, i := range []int{0, 2} {
			rolled, err := sums(ctx, db, h.Rollups[i], "(sum(%[1]s)::DECIMAL(38,18) + sum(%[1]s_rest)::DECIMAL(38,18))::VARCHAR")
			if err != nil {
				return err
			}
			for key, s := range lake {
				compared++
				if rolled[key] != s || len(rolled) != len(lake) {
					different++
				}
			}
		}
		for key, list := range lake {
			for i, m := range outlay.Measures() {
				a, err := outlay.ParseAmount(list[i], strings.Fields(key)[1])
				if err != nil {
					return err
				}
				total[m] = total[m].Add(a)
			}
		}
		for m, w := range want {
			compared++
			if total[m].String() != w {
				different++
			}
		}
	}
	b.report.goal("B13", fmt.Sprintf("sums that differ between r1, r3, lake and generator, of %d", compared), float64(different), atMost(0))
	return nil
}

// sums are a file's four sums by provider and currency.
func sums(ctx context.Context, db *sql.DB, path, sum string) (map[string][4]string, error) {
	list := ""
	for _, m := range outlay.Measures() {
		list += ", " + fmt.Sprintf(sum, m)
	}
	rows, err := db.QueryContext(ctx, "SELECT replace(ProviderName, ' ', '-') || ' ' || BillingCurrency"+list+" FROM read_parquet('"+path+"') GROUP BY 1")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	out := map[string][4]string{}
	for rows.Next() {
		var key string
		var s [4]string
		if err := rows.Scan(&key, &s[0], &s[1], &s[2], &s[3]); err != nil {
			return nil, err
		}
		out[key] = s
	}
	return out, rows.Err()
}
