package bill

import (
	"fmt"

	"outlay"
)

// Large are the bills of a big organization, one a period, with the properties of performance.md §1 over a year:
// about half a million resources, 120,000 sessions, 2,997 users, 200 projects, 60 pools, 47 sub accounts, the top 1 %
// of the resources holding a little over half of the spend. rows are of all periods together; nothing depends on the machine.
func Large(periods []outlay.Period, rows int) []Spec {
	n := max(1, len(periods))
	var accounts []Account
	for i := range 47 {
		accounts = append(accounts, Account{ID: fmt.Sprintf("7210%08d", 10440013*i%99999989), Name: fmt.Sprintf("research-%02d", i+1)})
	}
	var out []Spec
	for _, p := range periods {
		out = append(out, Spec{
			Payer: accounts[0], Accounts: accounts, Period: p, Rows: rows / n, Seed: 20251, TagPrefix: "user_", Tagged: outlay.TagKeys(),
			Users: Names("user", 2997), Groups: Names("group", 80), Projects: Names("project", 200), Pools: Names("pool", 60),
			Sessions: 119994 / n, Resources: 72000 * 12 / n, Skew: 2.1,
		})
	}
	return out
}
