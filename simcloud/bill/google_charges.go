package bill

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// googleGenerator turns a GoogleSpec into SQL. Amounts are whole micro-dollars, so that the FLOAT64 of the export, cast
// to NUMERIC, is exact.
type googleGenerator struct{ spec GoogleSpec }

// googleRevisions is how many restatements a month has rows for.
const googleRevisions = 40

// tables makes bill_google_sku, one row per hundredth of the lines, and bill_google_project.
func (g googleGenerator) tables() []string {
	var skus, projects []string
	slot := 0
	for i, s := range googleCatalogue() {
		skus = append(skus, fmt.Sprintf("(%d, %d, %d, %s, %s, %s, %s, %s, %s, %v::DOUBLE, %v::DOUBLE, %v::DOUBLE, %t, %s, %s, %d, %d, %s)", slot, slot+s.weight, i, quote(s.service), quote(s.name), quote(s.sku), quote(s.text),
			quote(s.unit), quote(s.pricingUnit), strconv.FormatFloat(s.factor, 'f', -1, 64), strconv.FormatFloat(s.price, 'f', -1, 64), s.mean, s.elastic, orNull(s.resource), orNull(s.global), s.committed, s.sustained, orNull(s.machine)))
		slot += s.weight
	}
	for i, p := range g.spec.Projects {
		projects = append(projects, fmt.Sprintf("(%d, %s, %s, %s, %s::STRUCT(\"key\" VARCHAR, \"value\" VARCHAR)[])", i, quote(p.ID), quote(p.Number), quote(p.Name), labelList(p.Labels)))
	}
	return []string{
		"CREATE OR REPLACE TEMP TABLE bill_google_sku AS SELECT s.slot, t.* EXCLUDE (low, high) FROM (VALUES " + strings.Join(skus, ", ") + ") t(low, high, n, service_id, service, sku_id, sku, unit, pricing_unit, factor, " +
			"price, mean, elastic, resource_prefix, global_prefix, committed, sustained, machine), range(100) s(slot) WHERE s.slot >= low AND s.slot < high",
		"CREATE OR REPLACE TEMP TABLE bill_google_project AS SELECT * FROM (VALUES " + strings.Join(projects, ", ") + ") t(i, project_id, project_number, project_name, project_labels)",
	}
}

// labelList is a list of {key, value}, keys in order.
func labelList(labels map[string]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		out = append(out, fmt.Sprintf("{'key': %s, 'value': %s}", quote(k), quote(labels[k])))
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// charges joins the usage, its corrections and what is not usage. Columns: revision, day, starts, ends, project fields,
// service fields, amounts in micro-dollars (cost, list, credit_1, credit_2) with the types of the credits, labels.
func (g googleGenerator) charges() string {
	return "WITH " + strings.Join([]string{g.lines(), g.placed(), g.usage(), g.corrections(), g.fees(), g.taxes()}, ",\n") +
		"\nSELECT *, " + quote(g.spec.BillingAccount) + " AS account FROM (SELECT * FROM usage UNION ALL BY NAME SELECT * FROM corrections UNION ALL BY NAME SELECT * FROM fees UNION ALL BY NAME SELECT * FROM taxes)"
}

func (g googleGenerator) days() int {
	return int(g.spec.Period.End().Sub(g.spec.Period.Start()).Hours() / 24)
}

func (g googleGenerator) start() string {
	return "DATE " + quote(g.spec.Period.Start().Format("2006-01-02"))
}

func (g googleGenerator) hash(what, why string) string {
	return fmt.Sprintf("hash(%s, %s, %d)", what, quote(g.spec.BillingAccount+string(g.spec.Period)+why), g.spec.Seed)
}

// lines is one row per day and line. Every fiftieth is late: a restatement brings it.
func (g googleGenerator) lines() string {
	perDay := max(1, g.spec.Rows/g.days())
	return fmt.Sprintf(`lines AS (SELECT %[1]s + d::INTEGER AS day, d, k, %[2]s AS h, %[3]s AS hline FROM range(%[4]d) a(d), range(%[5]d) b(k))`,
		g.start(), g.hash("d, k", "line"), g.hash("k", "standing"), g.days(), perDay)
}

// placed adds SKU, project, region, person and hour. A standing resource depends on the line alone.
func (g googleGenerator) placed() string {
	s := g.spec
	regions := googleRegions()
	var ids, countries []string
	for _, r := range regions {
		ids, countries = append(ids, r.id), append(countries, r.country)
	}
	return fmt.Sprintf(`placed AS (SELECT l.*, s.* EXCLUDE (slot, n), p.* EXCLUDE (i), CASE WHEN elastic THEN h ELSE hline END AS hres,
		(h %% 24)::INTEGER AS hour, %[1]s[1 + ((hline >> 9) %% %[2]d)::BIGINT] AS region, %[3]s[1 + ((hline >> 9) %% %[2]d)::BIGINT] AS country, chr((97 + (hline %% 3))::INTEGER) AS zone_letter,
		least((hline >> 13) %% %[4]d, (hline >> 29) %% %[4]d)::BIGINT AS person
		FROM lines l JOIN bill_google_sku s ON s.slot = (k * 37 + d) %% 100 JOIN bill_google_project p ON p.i = ((hline >> 17) %% %[5]d)::BIGINT)`,
		list(ids), len(ids), list(countries), len(s.Users), len(s.Projects))
}

// usage prices the lines. Credits are negative; a row may carry two. Free-tier and promotional ones are in the demo's
// data too, as are rows without any.
func (g googleGenerator) usage() string {
	return fmt.Sprintf(`priced AS (SELECT *, greatest(1, (mean * 1000000 * exp(0.8 * (((hres >> 5) %% 1000)::BIGINT - 500) / 400.0) * CASE WHEN dayofweek(day) IN (0, 6) THEN 0.55 ELSE 1.1 END * (0.5 + ((h >> 21) %% 1000) / 1000.0))::BIGINT) AS cost,
		(h >> 33) %% 100 AS drawn, (h >> 43) %% 50 = 0 AS late FROM placed),
	usage AS (SELECT CASE WHEN late THEN 1 + ((h >> 50) %% %[1]d)::INTEGER ELSE 0 END AS revision, day, day + INTERVAL (8 + hour) HOUR AS starts, day + INTERVAL (9 + hour) HOUR AS ends,
		'regular' AS cost_type, NULL::VARCHAR AS adjustment, project_id, project_number, project_name, project_labels, service_id, service, sku_id, sku, unit, pricing_unit, factor, price, region, country,
		CASE WHEN global_prefix LIKE '%%\%%z%%' ESCAPE '\' THEN region || '-' || zone_letter END AS zone, machine,
		CASE WHEN resource_prefix IS NOT NULL THEN resource_prefix || lower(hex(hres %% 1048576)) END AS resource_name,
		CASE WHEN global_prefix IS NOT NULL THEN replace(replace(replace(global_prefix, '%%p', project_id), '%%z', region || '-' || zone_letter), '%%r', region) || lower(hex(hres %% 1048576)) END AS resource_global,
		cost, (cost * 1.08)::BIGINT AS list,
		CASE WHEN drawn < committed THEN 'COMMITTED_USAGE_DISCOUNT' WHEN drawn < committed + sustained THEN 'SUSTAINED_USAGE_DISCOUNT' WHEN drawn %% 23 = 7 THEN 'FREE_TIER' WHEN drawn %% 19 = 5 THEN 'DISCOUNT' WHEN drawn = 99 THEN 'COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE' END AS credit_type_1,
		CASE WHEN drawn < committed THEN -(cost * 0.37)::BIGINT WHEN drawn < committed + sustained THEN -(cost * 0.2)::BIGINT WHEN drawn %% 23 = 7 THEN -cost WHEN drawn %% 19 = 5 THEN -(cost * 0.05)::BIGINT WHEN drawn = 99 THEN -(cost * 0.28)::BIGINT ELSE 0 END AS credit_1,
		CASE WHEN drawn %% 11 = 3 AND drawn %% 23 <> 7 THEN 'PROMOTION' END AS credit_type_2, CASE WHEN drawn %% 11 = 3 AND drawn %% 23 <> 7 THEN -(cost * 0.1)::BIGINT ELSE 0 END AS credit_2,
		%[2]s AS labels FROM priced)`, googleRevisions, g.labels())
}

// corrections takes one in sixty rows back and charges it anew, a little less: a negative row and a new one, with each
// restatement others (clouds.md §4.6).
func (g googleGenerator) corrections() string {
	const columns = "day, starts, ends, project_id, project_number, project_name, project_labels, service_id, service, sku_id, sku, unit, pricing_unit, factor, price, region, country, zone, machine, resource_name, resource_global, credit_type_1, credit_type_2, labels"
	turn := g.hash("starts, resource_global, cost, sku_id", "turn")
	return fmt.Sprintf(`taken AS (SELECT *, 1 + (%[1]s %% (60 * %[2]d) // 60)::INTEGER AS turn FROM usage WHERE revision = 0 AND %[1]s %% 60 = 0),
	corrections AS (SELECT turn AS revision, %[3]s, 'regular' AS cost_type, NULL::VARCHAR AS adjustment, -cost AS cost, -list AS list, -credit_1 AS credit_1, -credit_2 AS credit_2 FROM taken
		UNION ALL BY NAME SELECT turn AS revision, %[3]s, 'regular' AS cost_type, NULL::VARCHAR AS adjustment, (cost * 0.93)::BIGINT AS cost, (list * 0.93)::BIGINT AS list, (credit_1 * 0.93)::BIGINT AS credit_1, (credit_2 * 0.93)::BIGINT AS credit_2 FROM taken
		UNION ALL BY NAME SELECT r AS revision, %[5]s, 'adjustment' AS cost_type, 'MANUAL_ADJUSTMENT' AS adjustment, -(cost * 0.5)::BIGINT AS cost, -(cost * 0.5)::BIGINT AS list, 0 AS credit_1, 0 AS credit_2
			FROM (SELECT r, unnest(list_slice((SELECT list(u ORDER BY starts, resource_global, cost) FROM usage u WHERE revision = 0), r, r), max_depth := 2) FROM range(1, %[4]d) t(r)))`,
		turn, googleRevisions, columns, googleRevisions+1, strings.Replace(strings.Replace(columns, "credit_type_1", "NULL::VARCHAR AS credit_type_1", 1), "credit_type_2", "NULL::VARCHAR AS credit_type_2", 1))
}

// fees are the commitment's fee of each day, whose credits are on the rows it covers, and support.
func (g googleGenerator) fees() string {
	return fmt.Sprintf(`fees AS (SELECT 0 AS revision, %[1]s + d::INTEGER AS day, %[1]s + d::INTEGER + INTERVAL 8 HOUR AS starts, %[1]s + d::INTEGER + INTERVAL 9 HOUR AS ends, 'regular' AS cost_type, NULL::VARCHAR AS adjustment,
		p.* EXCLUDE (i), '6F81-5844-456A' AS service_id, 'Compute Engine' AS service, '0DD7-2F6F-19B9' AS sku_id, 'Commitment v1: C3 Cpu in Americas for 1 Year' AS sku, 'seconds' AS unit, 'hour' AS pricing_unit, 3600.0::DOUBLE AS factor,
		0.0214::DOUBLE AS price, 'us-central1' AS region, 'US' AS country, NULL::VARCHAR AS zone, NULL::VARCHAR AS machine, NULL::VARCHAR AS resource_name, NULL::VARCHAR AS resource_global,
		%[2]d AS cost, %[2]d AS list, NULL::VARCHAR AS credit_type_1, 0 AS credit_1, NULL::VARCHAR AS credit_type_2, 0 AS credit_2, [] AS labels FROM range(%[3]d) t(d), bill_google_project p WHERE p.i = 0)`,
		g.start(), 1_000_000+int64(g.spec.Rows)*4000, g.days())
}

// taxes and the rounding error come on the month's last day, name no project and no region, and carry no label.
func (g googleGenerator) taxes() string {
	last := fmt.Sprintf("%s + %d", g.start(), g.days()-1)
	row := func(kind, service, name, sku string, cost int64) string {
		return fmt.Sprintf(`SELECT 0 AS revision, %[1]s AS day, %[1]s + INTERVAL 8 HOUR AS starts, %[1]s + INTERVAL 32 HOUR AS ends, %[2]s AS cost_type, NULL::VARCHAR AS adjustment, NULL::VARCHAR AS project_id, NULL::VARCHAR AS project_number,
		NULL::VARCHAR AS project_name, []::STRUCT("key" VARCHAR, "value" VARCHAR)[] AS project_labels, %[3]s AS service_id, %[4]s AS service, %[5]s AS sku_id, %[6]s AS sku, NULL::VARCHAR AS unit, NULL::VARCHAR AS pricing_unit, NULL::DOUBLE AS factor,
		NULL::DOUBLE AS price, NULL::VARCHAR AS region, NULL::VARCHAR AS country, NULL::VARCHAR AS zone, NULL::VARCHAR AS machine, NULL::VARCHAR AS resource_name, NULL::VARCHAR AS resource_global, %[7]d AS cost, %[7]d AS list,
		NULL::VARCHAR AS credit_type_1, 0 AS credit_1, NULL::VARCHAR AS credit_type_2, 0 AS credit_2, [] AS labels`, last, quote(kind), quote(service), quote(name), quote("0000-0000-000"+sku), quote(map[string]string{"1": "Tax", "2": "Rounding error", "3": "Support fee"}[sku]), cost)
	}
	rows := int64(g.spec.Rows)
	return "taxes AS (" + strings.Join([]string{
		row("tax", "0000-0000-0000", "Invoice", "1", rows*310_000+410_000), row("rounding_error", "0000-0000-0000", "Invoice", "2", -4_127), row("regular", "2062-016F-44A2", "Support", "3", rows*120_000),
	}, "\nUNION ALL BY NAME ") + ")"
}

// labels is the list of a usage row: lower-case keys and values, as Google demands (clouds.md §4.9). A quarter carries
// none; standing resources have neither pool nor session.
func (g googleGenerator) labels() string {
	s := g.spec
	user := list(lowered(s.Users)) + "[1 + person]"
	project := fmt.Sprintf("((person * 7 + hline %% 3) %% %d)::BIGINT", len(s.ProjectNames))
	kv := func(key, value string) string { return fmt.Sprintf("{'key': %s, 'value': %s}", quote(key), value) }
	common := []string{
		kv("user", user), kv("project", list(lowered(s.ProjectNames))+"[1 + "+project+"]"), kv("groupid", list(lowered(s.Groups))+"[1 + ("+project+fmt.Sprintf(" %% %d", len(s.Groups))+")::BIGINT]"),
		kv("organizationid", quote(strings.ToLower(s.Organization))), kv("name", "coalesce(machine, 'res') || '-' || (hres % 900 + 100)::VARCHAR"), kv("date", "day::VARCHAR"),
	}
	session := append(slices.Clone(common), kv("pool", fmt.Sprintf("%s[1 + ((hres >> 8) %% %d)::BIGINT]", list(lowered(s.Pools)), len(s.Pools))), kv("session", "((hres >> 3) % 400 + 1)::VARCHAR"), kv("sessionid", "'ses_' || lower(hex(hres % 268435456))"))
	return fmt.Sprintf("CASE WHEN (hline >> 3) %% 4 = 0 OR resource_prefix IS NULL THEN [] WHEN elastic THEN [%s] ELSE [%s] END", strings.Join(session, ", "), strings.Join(common, ", "))
}

// lowered makes values that Google accepts.
func lowered(values []string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
				return r
			}
			return '-'
		}, strings.ToLower(v))
	}
	return out
}
