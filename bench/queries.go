package main

import (
	"time"

	"outlay"
)

// namedQuery is one of the ten dashboard queries of performance.md §10; i moves its window by days.
type namedQuery struct {
	name  string
	query func(i int) outlay.Query
}

// queries are the ten. The year ends with December 2025.
func queries() []namedQuery {
	end := time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC)
	back := func(i, days int) (time.Time, time.Time) {
		to := end.AddDate(0, 0, -i)
		return to.AddDate(0, 0, -days), to
	}
	window := func(days int, every outlay.Every, group []outlay.Dimension, filters ...outlay.Filter) func(int) outlay.Query {
		return func(i int) outlay.Query {
			from, to := back(i, days)
			return outlay.Query{From: from, To: to, Every: every, GroupBy: group, Filters: filters, OrderBy: outlay.Effective}
		}
	}
	top := func(n int, q func(int) outlay.Query) func(int) outlay.Query {
		return func(i int) outlay.Query {
			out := q(i)
			out.Limit = n
			return out
		}
	}
	by := func(d ...outlay.Dimension) []outlay.Dimension { return d }
	is := func(d outlay.Dimension, values ...string) outlay.Filter {
		return outlay.Filter{Dimension: d, Values: values}
	}
	tag := outlay.TagDimension
	return []namedQuery{
		{"Q1 daily by service, 90 days", window(90, outlay.EveryDay, by(outlay.ByService))},
		{"Q2 daily by account, 12 months", window(350, outlay.EveryDay, by(outlay.BySubAccount))},
		{"Q3 top 20 users, a month", top(20, window(30, outlay.EveryNone, by(tag("User"))))},
		{"Q4 daily by project, a quarter, provider filter", window(90, outlay.EveryDay, by(tag("Project")), is(outlay.ByProvider, "AWS"))},
		{"Q5 month over month by service", window(61, outlay.EveryMonth, by(outlay.ByService))},
		{"Q6 totals, year to date, region and category filter", window(350, outlay.EveryNone, nil, is(outlay.ByRegion, "us-east-1", "eu-west-1"), is(outlay.ByCategory, "Usage"))},
		{"Q7 group × pool, a quarter", window(90, outlay.EveryNone, by(tag("GroupID"), tag("Pool")))},
		{"Q8 one project, daily by service, 90 days", window(90, outlay.EveryDay, by(outlay.ByService), is(tag("Project"), bigProject()))},
		{"Q9 top 50 sessions, a month, pool filter", top(50, window(30, outlay.EveryNone, by(tag("SessionID")), is(tag("Pool"), bigPool())))},
		{"Q10 top 100 resources of an account × service, a month", top(100, window(30, outlay.EveryNone, by(outlay.ByResource), is(outlay.BySubAccount, bigAccount()), is(outlay.ByService, "Amazon Elastic Compute Cloud")))},
	}
}
