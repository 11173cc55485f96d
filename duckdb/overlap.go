package duckdb

import (
	"fmt"

	"outlay"
)

// When two sources deliver the same sub account's charges of a month, adding them would double the figures. For each
// (provider name, sub account, billing period) exactly one source wins: one that we created before one that we
// imported, that before plain files; among equals the smaller source id, which never changes, so that a restatement of
// either does not flip the winner. Charges without a sub account belong to their billing account.

// rank orders the sources of heads, the smallest wins: our own set-ups, existing exports, both as long as they are read;
// what delivers no more (docs/decisions/0005); files.
func rank(h outlay.Head) int {
	switch {
	case h.Origin != outlay.OriginCreated && h.Origin != outlay.OriginImported:
		return 3
	case h.Removed:
		return 2
	case h.Origin == outlay.OriginImported:
		return 1
	}
	return 0
}

// ownerSQL is the sub account that a row of t counts for.
func ownerSQL(t string) string {
	return fmt.Sprintf("COALESCE(NULLIF(CAST(%s.SubAccountId AS VARCHAR), ''), CAST(%s.BillingAccountId AS VARCHAR), '')", t, t)
}

// providerSQL is the provider of a row of t, whatever the letter case.
func providerSQL(t string) string {
	return "lower(COALESCE(CAST(" + t + ".ProviderName AS VARCHAR), ''))"
}

// claimsSQL lists which sources deliver which sub accounts, from the rollup rows r joined with the heads h.
func claimsSQL(rows string) string {
	return "SELECT DISTINCT " + providerSQL("r") + " AS provider, " + ownerSQL("r") + " AS account, r.x_Period AS period, r.x_SourceId AS source, r.rank AS rank FROM " + rows + " r"
}

// losersSQL lists the claims that lost, each with its winner.
func losersSQL(claims string) string {
	return "SELECT provider, account, period, source, winner FROM (SELECT *, first_value(source) OVER (PARTITION BY provider, account, period ORDER BY rank, source) AS winner FROM " +
		claims + ") WHERE source <> winner"
}

// lostSQL tells whether row c of charges is one that loser l stands for.
func lostSQL(c, l string) string {
	return fmt.Sprintf("%s.source = %s.x_SourceId AND %s.period = %s.x_Period AND %s.provider = %s AND %s.account = %s", l, c, l, c, l, providerSQL(c), l, ownerSQL(c))
}
