package bill

import (
	"fmt"
	"strings"
)

// charges is the WITH clause that defines charge: one row per charge, with attributes under our own names and amounts
// in units. Each step adds columns to the one before:
//
//	line      what line of which day, and its SKU          drawn      the resource behind it
//	placed    account, region, session, person              priced     list amount and whether a savings plan covers it
//	charge    usage, and the special rows beside it
func (g generator) charges() string {
	return "WITH " + strings.Join([]string{g.line(), g.drawn(), g.placed(), g.priced(), g.charge()}, ",\n")
}

// line spreads the lines over the slots of the catalogue by a stride, so that shares are exact and neighbours differ.
// Rows that come late exist from the first restatement on.
func (g generator) line() string {
	n := max(1, g.perDay)
	where := ""
	if g.spec.Revision == 0 {
		where = " WHERE " + g.draw("b.k, b.day", "late") + " % 50 <> 0"
	}
	return fmt.Sprintf(`line AS (SELECT b.day, b.k, s.* FROM bill_base b JOIN bill_sku s ON s.slot = ((b.k::BIGINT * 7919) %% %d) * 1000 // %d%s)`, n, n, where)
}

// drawn picks the resource: a standing one depends on the line alone, an elastic one moves through its share of the
// numbers with the days, so that a session lives about three days.
func (g generator) drawn() string {
	days := g.spec.monthDays()
	return fmt.Sprintf(`drawn AS (SELECT *, (%s & 4294967295)::BIGINT AS hday, CASE WHEN elastic
		THEN greatest(0, (day + 1) * share // %d - 1 - (%s %% greatest(1, 3 * share // %d))::BIGINT)
		ELSE (%s %% share)::BIGINT END AS nth FROM line)`,
		g.draw("k, day", "day"), days, g.draw("k, day", "resource"), days, g.draw("k", "resource"))
}

// placed tells who and where: a session belongs to a person, a person works on up to three projects, a project
// belongs to one group. Small numbers are used more; the first account, mostly the payer, least.
func (g generator) placed() string {
	s := g.spec
	owner := fmt.Sprintf("hash(%s, %d)", quote(string(s.Period)), s.Seed)
	return fmt.Sprintf(`resourced AS (SELECT *, first + nth AS resource, CASE WHEN elastic THEN (nth * %d // share)::BIGINT END AS session,
			hash(first + nth, sku, CASE WHEN elastic THEN %s ELSE %d END) AS hres FROM drawn),
		owned AS (SELECT *, CASE WHEN elastic THEN hash(session, %s) ELSE hres END AS howner FROM resourced),
		placed AS (SELECT *, least(howner %% %[5]d, (howner >> 20) %% %[5]d)::BIGINT AS person,
			(least((hres >> 8) %% %[6]d, (hres >> 24) %% %[6]d)::BIGINT + 1) %% %[6]d AS account,
			least((hres >> 12) %% %[7]d, (hres >> 28) %% %[7]d)::BIGINT AS place,
			hres %% 100 < 75 AS tagged FROM owned)`,
		s.Sessions, owner, s.Seed, owner, len(s.Users), len(s.Accounts), len(regions()))
}

// priced sizes a line: log-normal by resource, five working days, a slow growth over the months; a standing resource
// costs the same each day. A restatement scales the rows of its own fortieth.
func (g generator) priced() string {
	s := g.spec
	growth := 0.92 + 0.01*float64(monthsSince2026(s))
	normal := "greatest(-4, least(4, sqrt(-2 * ln(((hres >> 16) % 999983 + 1) / 999984.0)) * cos(6.283185307179586 * ((hres >> 36) % 999979) / 999979.0)))"
	weekend := fmt.Sprintf("CASE WHEN (day + %d) %% 7 IN (0, 6) THEN 0.55 ELSE 1.1 END", int(s.Period.Start().Weekday()))
	return fmt.Sprintf(`sized AS (SELECT *, mean * %v * exp(%v * %s - %v)
			* CASE WHEN elastic THEN %s * (0.4 + 1.2 * hday / 4294967296.0) ELSE 1 END * %s AS dollars,
			NOT spot AND (hday >> 7) %% 100 < committed AS covered FROM placed),
		priced AS (SELECT *, greatest(1, least(900000000000000, (dollars * %d)::BIGINT)) AS list FROM sized)`,
		growth, s.Skew, normal, s.Skew*s.Skew/2, weekend, g.restatement(), unitsPerDollar)
}

func (g generator) restatement() string {
	if g.spec.Revision == 0 {
		return "1"
	}
	turn := g.draw("k, day", "turn") + " % 40"
	round := fmt.Sprintf("(%d + 39 - %s) // 40", g.spec.Revision, turn) // how often the row's turn has come
	return fmt.Sprintf("CASE WHEN %s > 0 THEN 0.92 + (hash(k, day, %s) %% 1000) * 0.00016 ELSE 1 END", round, round)
}

// charge joins usage with the special rows. A covered row is billed nothing and its effective cost is the plan's rate.
func (g generator) charge() string {
	s := g.spec
	start := "TIMESTAMP " + quote(s.Period.Start().Format("2006-01-02 15:04:05"))
	ids, names := accountLists(s.Accounts)
	var regionIDs, regionNames, shorts []string
	for _, r := range regions() {
		regionIDs, regionNames, shorts = append(regionIDs, r.id), append(regionNames, r.name), append(shorts, r.short)
	}
	usage := fmt.Sprintf(`SELECT %[1]s + to_days(day) AS starts, %[1]s + to_days(day + 1) AS ends, %[2]s[1 + account] AS sub_account, %[3]s[1 + account] AS sub_account_name,
		service, code, category, subcategory, 'Usage' AS charge, NULL AS class, 'Usage-Based' AS frequency, description, operation, unit, price, discount, spot, zone, instance, kind,
		%[4]s[1 + place] || '-' || meter AS meter, %[5]s[1 + place] AS region, %[6]s[1 + place] AS region_name, covered, hres, hday, prefix, sku,
		CASE WHEN covered THEN 0 ELSE (list * (1 - discount))::BIGINT END AS billed, (list * CASE WHEN covered THEN 0.72 ELSE 1 - discount END)::BIGINT AS effective,
		list, (list * (1 - discount))::BIGINT AS contracted, CASE WHEN covered THEN %[7]s END AS commitment, CASE WHEN covered THEN 'Used' END AS status, %[8]s AS tags FROM priced`,
		start, list(ids), list(names), list(shorts), list(regionIDs), list(regionNames), quote(commitmentARN(s)), g.tags())
	special := `SELECT starts, ends, account AS sub_account, account_name AS sub_account_name, service, code, category, subcategory, charge, class, frequency, description,
		billed, effective, list, contracted, commitment, status FROM bill_special`
	account := fmt.Sprintf("SELECT *, %s AS payer, %s AS payer_name, %s AS period_start, TIMESTAMP %s AS period_end, %s AS invoice FROM (%s UNION ALL BY NAME %s)",
		quote(s.Payer.ID), quote(s.Payer.Name), start, quote(s.Period.End().Format("2006-01-02 15:04:05")), invoice(s), usage, special)
	return "charge AS (" + account + ")"
}

func accountLists(accounts []Account) (ids, names []string) {
	for _, a := range accounts {
		ids, names = append(ids, a.ID), append(names, a.Name)
	}
	return ids, names
}

// invoice is NULL until the month is over: AWS numbers the invoice when it issues it.
func invoice(s Spec) string {
	if !s.closed() {
		return "NULL"
	}
	return quote(fmt.Sprintf("%d", 1_400_000_000+number(s, "invoice")%500_000_000))
}

func monthsSince2026(s Spec) int {
	t := s.Period.Start()
	return (t.Year()-2026)*12 + int(t.Month()) - 1
}

// draw is a hash of what and why, different for every seed.
func (g generator) draw(what, why string) string {
	return fmt.Sprintf("hash(%s, %d)", what, number(g.spec, why)%1_000_000_007)
}
