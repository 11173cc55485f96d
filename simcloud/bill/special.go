package bill

import (
	"fmt"
	"hash/fnv"
	"math"
	"strings"
	"time"
)

// special is a charge that is not metered usage: what the payer buys, taxes, credits and refunds. Amounts are in USD.
type special struct {
	starts, ends                          time.Time
	account                               Account // zero: the row names no sub account
	service, code, category, subcategory  string
	charge, class, frequency, description string
	billed, effective, list, contracted   float64
	commitment, status                    string
}

// specialColumns declares bill_special.
const specialColumns = `starts TIMESTAMP, ends TIMESTAMP, account VARCHAR, account_name VARCHAR, service VARCHAR, code VARCHAR, category VARCHAR, subcategory VARCHAR,
	charge VARCHAR, class VARCHAR, frequency VARCHAR, description VARCHAR, billed BIGINT, effective BIGINT, list BIGINT, contracted BIGINT, commitment VARCHAR, status VARCHAR`

// specialTable makes and fills bill_special.
func specialTable(s Spec) []string {
	stmts := []string{"CREATE OR REPLACE TEMP TABLE bill_special (" + specialColumns + ")"}
	var rows []string
	for _, x := range specials(s) {
		rows = append(rows, fmt.Sprintf("(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %d, %d, %d, %d, %s, %s)",
			stamp(x.starts), stamp(x.ends), orNull(x.account.ID), orNull(x.account.Name), quote(x.service), quote(x.code), quote(x.category), quote(x.subcategory),
			quote(x.charge), orNull(x.class), quote(x.frequency), quote(x.description), units(x.billed), units(x.effective), units(x.list), units(x.contracted),
			orNull(x.commitment), orNull(x.status)))
	}
	if len(rows) > 0 {
		stmts = append(stmts, "INSERT INTO bill_special VALUES "+strings.Join(rows, ",\n"))
	}
	return stmts
}

func specials(s Spec) []special {
	if s.days() == 0 {
		return nil
	}
	out := savingsPlan(s)
	out = append(out, support(s))
	out = append(out, taxes(s)...)
	return append(out, credits(s)...)
}

// usageOfDay is about what a day's usage costs, to size what goes with it.
func usageOfDay(s Spec) float64 { return 8.3 * float64(s.Rows) / float64(s.monthDays()) }

// savingsPlan is a purchase each day, whose EffectiveCost is 0 because the usage it covers carries it, and each day
// the part that nothing used, which is billed nothing.
func savingsPlan(s Spec) []special {
	var out []special
	daily := 0.079 * usageOfDay(s)
	row := special{
		account: s.Payer, service: "Savings Plans for AWS Compute usage", code: "ComputeSavingsPlans", category: "Compute", subcategory: "Other (Compute)",
		frequency: "Recurring", commitment: commitmentARN(s),
	}
	for d := range s.days() {
		row.starts, row.ends = day(s, d), day(s, d+1)
		buy := row
		buy.charge, buy.description = "Purchase", "1 year No Upfront Compute Savings Plan"
		buy.billed, buy.list, buy.contracted = daily, daily, daily
		unused := row
		unused.charge, unused.frequency, unused.status, unused.description = "Usage", "Usage-Based", "Unused", "Unused commitment of a Compute Savings Plan"
		unused.effective = daily * (0.02 + 0.0004*float64(number(s, fmt.Sprint("unused", d))%100))
		out = append(out, buy, unused)
	}
	return out
}

func support(s Spec) special {
	fee := math.Round(0.028*usageOfDay(s)*float64(s.monthDays())*100) / 100
	return special{
		starts: day(s, 0), ends: day(s, 1), account: s.Payer, service: "AWS Support (Business)", code: "AWSSupportBusiness", category: "Other", subcategory: "Other (Other)",
		charge: "Purchase", frequency: "Recurring", description: "AWS Support (Business) of the month", billed: fee, effective: fee, list: fee, contracted: fee,
	}
}

// taxes name no sub account, region or resource, and grow with the month until it is over.
func taxes(s Spec) []special {
	var out []special
	taxed := []sku{
		{service: "Amazon Elastic Compute Cloud", code: "AmazonEC2", category: "Compute", subcategory: "Virtual Machines", mean: 0.011},
		{service: "Amazon Simple Storage Service", code: "AmazonS3", category: "Storage", subcategory: "Object Storage", mean: 0.0014},
		{service: "Amazon FSx", code: "AmazonFSx", category: "Storage", subcategory: "File Storage", mean: 0.0029},
		{service: "AWS Support (Business)", code: "AWSSupportBusiness", category: "Other", subcategory: "Other (Other)", mean: 0.0008},
	}
	for _, t := range taxed {
		amount := math.Round(t.mean*usageOfDay(s)*float64(s.days())*100) / 100
		out = append(out, special{
			starts: day(s, 0), ends: day(s, s.days()), service: t.service, code: t.code, category: t.category, subcategory: t.subcategory, charge: "Tax",
			frequency: "One-Time", description: "Tax for product code " + t.code, billed: amount, effective: amount, list: amount, contracted: amount,
		})
	}
	return out
}

// credits are one credit of the month, and one credit and one refund for each of the first twelve restatements.
func credits(s Spec) []special {
	out := []special{negative(s, 0, "Credit", "", "AWS Cloud Credits for Research", 0.6*usageOfDay(s))}
	for r := 1; r <= min(s.Revision, 12); r++ {
		d := int(number(s, fmt.Sprint("refund", r)) % uint64(s.days()))
		small := usageOfDay(s) * (0.004 + 0.0001*float64(number(s, fmt.Sprint("amount", r))%150))
		class := ""
		if s.closed() {
			class = "Correction"
		}
		out = append(out, negative(s, d, "Usage", class, fmt.Sprintf("Refund %d for usage charged in error", r), small),
			negative(s, d, "Credit", "", fmt.Sprintf("Service credit %d", r), small/3))
	}
	return out
}

func negative(s Spec, d int, charge, class, description string, dollars float64) special {
	c := -math.Round(dollars*100) / 100
	return special{
		starts: day(s, d), ends: day(s, d+1), account: s.Accounts[d%len(s.Accounts)], service: "Amazon Elastic Compute Cloud", code: "AmazonEC2", category: "Compute",
		subcategory: "Virtual Machines", charge: charge, class: class, frequency: "One-Time", description: description, billed: c, effective: c, list: c, contracted: c,
	}
}

func commitmentARN(s Spec) string {
	return fmt.Sprintf("arn:aws:savingsplans::%s:savingsplan/%016x", s.Payer.ID, hash64(fmt.Sprint(s.Seed, "plan")))
}

func day(s Spec, d int) time.Time { return s.Period.Start().AddDate(0, 0, d) }

func stamp(t time.Time) string { return "TIMESTAMP " + quote(t.Format("2006-01-02 15:04:05")) }

func units(dollars float64) int64 { return int64(math.Round(dollars * unitsPerDollar)) }

func orNull(s string) string {
	if s == "" {
		return "NULL"
	}
	return quote(s)
}

// number is a draw outside SQL: by seed, period and purpose.
func number(s Spec, why string) uint64 { return hash64(fmt.Sprint(s.Seed, s.Period, why)) }

func hash64(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s)) // a hash never fails
	return h.Sum64()
}
