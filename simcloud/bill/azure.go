package bill

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"outlay"
)

// AzureSpec says what an Azure export holds: the same charges in the shape of one of its data sets (clouds.md §3.10).
// Of Spec it takes all but Columns, TagPrefix and ActiveSince; Payer is the enrolment, the billing profile or the
// subscription that pays for itself, the Accounts are subscriptions (GUIDs).
type AzureSpec struct {
	Spec
	Dataset   string // "FocusCost", "ActualCost", "AmortizedCost" or "Usage"
	Agreement string // "EA", "MCA" or "MOSP": in whose words the older data sets are written, and what is sold
	Version   string // of FocusCost: "1.0", "1.0r2" or "1.2-preview"
	// ResourceGroup keeps the rows of one resource group, which takes the place of the first of the made-up ones.
	ResourceGroup string
	// Inherited tells that tags of subscriptions and groups reach the rows: more of them carry tags.
	Inherited bool
}

// WriteAzure writes the bill as one snappy Parquet file at path, replacing it, and returns its totals: those of the
// charges that the data set shows. A Spec that makes no sense is CodeInvalid.
func WriteAzure(ctx context.Context, db *sql.DB, s AzureSpec, path string) (Totals, error) {
	s.Columns = nil
	s.Spec = s.withDefaults()
	if err := s.check(); err != nil {
		return Totals{}, err
	}
	if !slices.Contains([]string{"FocusCost", "ActualCost", "AmortizedCost", "Usage"}, s.Dataset) || !slices.Contains([]string{"EA", "MCA", "MOSP"}, s.Agreement) {
		return Totals{}, outlay.Errorf(outlay.CodeInvalid, "Name a data set and an agreement of Azure.", "there is no bill of %q under %q", s.Dataset, s.Agreement)
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return Totals{}, fmt.Errorf("generating a bill: %w", err)
	}
	defer func() { _ = conn.Close() }() // what failed before says more
	g := newAzureGenerator(s)
	for _, stmt := range g.setUp() {
		if _, err := conn.ExecContext(ctx, stmt); err != nil {
			return Totals{}, fmt.Errorf("preparing a bill of %s: %w", s.Period, err)
		}
	}
	stmt := fmt.Sprintf("COPY (%s) TO %s (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 122880)", g.rows(), quote(path))
	if _, err := conn.ExecContext(ctx, stmt); err != nil {
		return Totals{}, fmt.Errorf("writing a bill of %s: %w", s.Period, err)
	}
	return g.totals(ctx, conn)
}

// azureGenerator makes the charges as generator does, of Azure's catalogue, and says them in Azure's columns.
type azureGenerator struct {
	generator
	spec AzureSpec
}

func newAzureGenerator(s AzureSpec) azureGenerator {
	g := azureGenerator{generator: newGenerator(s.Spec), spec: s}
	g.skus = azureCatalogue(s.Agreement)
	return g
}

// setUp makes the temporary tables of generator, with Azure's special rows in place of the others.
func (g azureGenerator) setUp() []string {
	stmts := g.generator.setUp()
	stmts = append(stmts, "DELETE FROM bill_special")
	var rows []string
	for _, x := range azureSpecials(g.spec) {
		rows = append(rows, fmt.Sprintf("(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %d, %d, %d, %d, %s, %s)",
			stamp(x.starts), stamp(x.ends), orNull(x.account.ID), orNull(x.account.Name), orNull(x.service), quote(x.code), quote(x.category), quote(x.subcategory),
			quote(x.charge), orNull(x.class), quote(x.frequency), quote(x.description), units(x.billed), units(x.effective), units(x.list), units(x.contracted),
			orNull(x.commitment), orNull(x.status)))
	}
	if len(rows) > 0 {
		stmts = append(stmts, "INSERT INTO bill_special VALUES "+strings.Join(rows, ",\n"))
	}
	return stmts
}

// rows is the SELECT that COPY writes.
func (g azureGenerator) rows() string {
	var columns []string
	for _, c := range AzureColumns(g.spec) {
		columns = append(columns, fmt.Sprintf("(%s)::%s AS %s", g.expression(c), azureSQLType(c), c))
	}
	return g.charges() + "\nSELECT " + strings.Join(columns, ", ") + " FROM charge WHERE " + g.shown()
}

// shown is which charges the data set shows. Actual costs have purchases of commitments, amortized ones their use and
// what was left of them; FocusCost has both; Usage has what was used.
func (g azureGenerator) shown() string {
	where := []string{"true"}
	switch g.spec.Dataset {
	case "ActualCost":
		where = append(where, "status IS DISTINCT FROM 'Unused'")
	case "AmortizedCost":
		where = append(where, "NOT (charge = 'Purchase' AND commitment IS NOT NULL)")
	case "Usage":
		where = append(where, "charge = 'Usage' AND status IS DISTINCT FROM 'Unused'")
	}
	if len(g.spec.Only) > 0 {
		where = append(where, "sub_account IN ("+quoteAll(g.spec.Only)+")")
	}
	if g.spec.ResourceGroup != "" {
		where = append(where, "resource_group = "+quote(g.spec.ResourceGroup))
	}
	return strings.Join(where, " AND ")
}

// totals sums the integers that rows() divides.
func (g azureGenerator) totals(ctx context.Context, conn *sql.Conn) (Totals, error) {
	t := Totals{Sums: map[outlay.Measure]string{}}
	var sums [4]sql.NullString
	query := g.charges() + " SELECT count(*), sum(billed)::VARCHAR, sum(effective)::VARCHAR, sum(list)::VARCHAR, sum(contracted)::VARCHAR FROM charge WHERE " + g.shown()
	if err := conn.QueryRowContext(ctx, query).Scan(&t.Rows, &sums[0], &sums[1], &sums[2], &sums[3]); err != nil {
		return Totals{}, fmt.Errorf("summing a bill of %s: %w", g.spec.Period, err)
	}
	for i, m := range outlay.Measures() {
		units := "0"
		if sums[i].Valid {
			units = sums[i].String
		}
		a, err := outlay.ParseAmount(units+"e-10", "USD")
		if err != nil {
			return Totals{}, fmt.Errorf("summing a bill of %s: %w", g.spec.Period, err)
		}
		t.Sums[m] = a.String()
	}
	return t, nil
}

// charges is the WITH clause that defines charge, as generator's.
func (g azureGenerator) charges() string {
	return "WITH " + strings.Join([]string{g.line(), g.drawn(), g.placed(), g.priced(), g.charge()}, ",\n")
}

// charge joins usage with the special rows. A row covered by a reservation is billed nothing, has no list cost, and,
// under an MCA, no contracted cost: what Azure leaves out (clouds.md §3.10).
func (g azureGenerator) charge() string {
	s := g.spec
	start := "TIMESTAMP " + quote(s.Period.Start().Format("2006-01-02 15:04:05"))
	ids, names := accountLists(s.Accounts)
	var regionIDs, regionNames, shorts []string
	for _, r := range azureRegions() {
		regionIDs, regionNames, shorts = append(regionIDs, r.id), append(regionNames, r.name), append(shorts, r.short)
	}
	contracted := "(list * (1 - discount))::BIGINT"
	if s.Agreement == "MCA" {
		contracted = "CASE WHEN covered THEN 0 ELSE " + contracted + " END"
	}
	usage := fmt.Sprintf(`SELECT %[1]s + to_days(day) AS starts, %[1]s + to_days(day + 1) AS ends, %[2]s[1 + account] AS sub_account, %[3]s[1 + account] AS sub_account_name,
		service, code, category, subcategory, 'Usage' AS charge, NULL AS class, 'Usage-Based' AS frequency, description, operation, unit, price, discount, spot, instance, kind, meter,
		%[4]s[1 + place] AS meter_region, %[5]s[1 + place] AS region, %[6]s[1 + place] AS region_name, covered, hres, hday, prefix, sku,
		%[9]s[1 + (hres %% %[10]d)::BIGINT] AS resource_group, list / price AS quantity_units,
		CASE WHEN covered THEN 0 ELSE (list * (1 - discount))::BIGINT END AS billed, (list * CASE WHEN covered THEN 0.72 ELSE 1 - discount END)::BIGINT AS effective,
		CASE WHEN covered THEN 0 ELSE list END AS list, %[11]s AS contracted,
		CASE WHEN covered THEN %[7]s END AS commitment, CASE WHEN covered THEN 'Used' END AS status, %[8]s AS tags FROM priced`,
		start, list(ids), list(names), list(shorts), list(regionIDs), list(regionNames), quote(azureReservation(s)), g.tagText(), list(g.groups()), len(g.groups()), contracted)
	special := `SELECT starts, ends, account AS sub_account, account_name AS sub_account_name, service, code, category, subcategory, charge, class, frequency, description,
		billed, effective, list, contracted, commitment, status FROM bill_special`
	return fmt.Sprintf("charge AS (SELECT *, %s AS payer, %s AS payer_name, %s AS period_start, TIMESTAMP %s AS period_end, %s AS invoice FROM (%s UNION ALL BY NAME %s))",
		quote(s.Payer.ID), quote(s.Payer.Name), start, quote(s.Period.End().Format("2006-01-02 15:04:05")), g.invoice(), usage, special)
}

// groups are the resource groups of the bill.
func (g azureGenerator) groups() []string {
	out := []string{"rg-hpc-prod", "rg-data", "MC_aks-research_eastus", "rg-Web", "rg-shared", "DATABRICKS-RG-lab"}
	if g.spec.ResourceGroup != "" {
		out[0] = g.spec.ResourceGroup
	}
	return out
}

// invoice is NULL under an EA, and until the month is over.
func (g azureGenerator) invoice() string {
	if !g.spec.closed() || g.spec.Agreement == "EA" {
		return "NULL"
	}
	return quote(fmt.Sprintf("G%09d", number(g.spec.Spec, "invoice")%1_000_000_000))
}

// tagText is the tags as a JSON object, or NULL. Not every resource emits its tags; inheritance mends that. Some tools
// write a key in another letter case than others.
func (g azureGenerator) tagText() string {
	text := "to_json(" + g.tags() + ")::VARCHAR"
	text = fmt.Sprintf(`CASE WHEN hres %% 11 = 0 THEN replace(%[1]s, '"Project":', '"project":') WHEN hres %% 13 = 0 THEN replace(%[1]s, '"User":', '"USER":') ELSE %[1]s END`, text)
	if !g.spec.Inherited {
		text = "CASE WHEN hres % 100 < 45 THEN " + text + " END"
	}
	return "nullif(" + text + ", '{}')"
}

// azureSpecials are the charges that are not metered.
func azureSpecials(s AzureSpec) []special {
	if s.days() == 0 {
		return nil
	}
	var out []special
	if s.Agreement != "MOSP" {
		out = append(out, reservation(s)...)
		out = append(out, marketplace(s))
	}
	if s.Agreement == "MCA" {
		amount := usageOfDay(s.Spec) * float64(s.days()) * 0.008
		out = append(out, azureOnce(s, 0, "Tax", "", "Tax", amount), azureOnce(s, s.days()-1, "Adjustment", "", "Rounding adjustment", 0.01))
	}
	for r := 1; r <= min(s.Revision, 12); r++ {
		d := int(number(s.Spec, fmt.Sprint("refund", r)) % uint64(s.days()))
		class := ""
		if s.closed() {
			class = "Correction"
		}
		small := usageOfDay(s.Spec) * (0.004 + 0.0001*float64(number(s.Spec, fmt.Sprint("amount", r))%150))
		out = append(out, azureOnce(s, d, "Usage", class, fmt.Sprintf("Refund %d for usage charged in error", r), -small))
	}
	return out
}

// reservation is bought on the first day of a month; each day, a part of it nobody used. It has no list cost.
func reservation(s AzureSpec) []special {
	row := special{account: s.Accounts[0], service: "Virtual Machines", code: "Microsoft.Capacity", category: "Compute", subcategory: "Virtual Machines", commitment: azureReservation(s)}
	daily := 0.079 * usageOfDay(s.Spec)
	buy := row
	buy.starts, buy.ends = day(s.Spec, 0), day(s.Spec, 1)
	buy.charge, buy.frequency, buy.description = "Purchase", "Recurring", "Reserved VM Instance, Standard_D8s_v5, US East, 1 Year"
	buy.billed, buy.contracted = daily*float64(s.monthDays()), daily*float64(s.monthDays())
	out := []special{buy}
	for d := range s.days() {
		unused := row
		unused.starts, unused.ends = day(s.Spec, d), day(s.Spec, d+1)
		unused.charge, unused.frequency, unused.status, unused.description = "Usage", "Usage-Based", "Unused", "Unused reservation"
		unused.effective = daily * (0.02 + 0.0004*float64(number(s.Spec, fmt.Sprint("unused", d))%100))
		out = append(out, unused)
	}
	return out
}

// marketplace is a third party's offer: an EA has no service name for it, and nobody has its list and contracted cost.
func marketplace(s AzureSpec) special {
	out := azureOnce(s, 0, "Purchase", "", "Halcyon Mesh Toolkit - Team plan", 0.03*usageOfDay(s.Spec)*float64(s.monthDays()))
	out.service, out.code, out.category, out.subcategory, out.frequency = "Halcyon Mesh Toolkit", "Microsoft.SaaS", "Other", "Other (Other)", "Recurring"
	if s.Agreement == "EA" {
		out.service = ""
	}
	out.list, out.contracted = 0, 0
	return out
}

func azureOnce(s AzureSpec, d int, charge, class, description string, dollars float64) special {
	return special{
		starts: day(s.Spec, d), ends: day(s.Spec, d+1), account: s.Accounts[d%len(s.Accounts)], service: "Virtual Machines", code: "Microsoft.Compute", category: "Compute",
		subcategory: "Virtual Machines", charge: charge, class: class, frequency: "One-Time", description: description, billed: dollars, effective: dollars, list: dollars, contracted: dollars,
	}
}

// azureReservation is the id of the reservation, in the letter case of the cost rows.
func azureReservation(s AzureSpec) string {
	return "/providers/Microsoft.Capacity/reservationOrders/" + azureGUID(fmt.Sprint(s.Seed, "order")) + "/reservations/" + azureGUID(fmt.Sprint(s.Seed, "reservation"))
}

func azureGUID(of string) string {
	h := fmt.Sprintf("%016x%016x", hash64(of), hash64(of+"'"))
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:32]
}

// AzureCSVTime is the strftime pattern in which a CSV of the data set writes times.
func AzureCSVTime(s AzureSpec) string {
	switch {
	case s.Dataset != "FocusCost":
		return "%m/%d/%Y"
	case s.Version == "1.0":
		return "%Y-%m-%dT%H:%MZ"
	}
	return "%Y-%m-%dT%H:%M:%SZ"
}

// monthEnd is the last day of the month: the older data sets' inclusive end.
func monthEnd(s Spec) time.Time { return s.Period.End().AddDate(0, 0, -1) }
