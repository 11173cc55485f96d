package azure

import (
	"bytes"
	"compress/gzip"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"outlay"
	"outlay/duckdb"

	"github.com/google/go-cmp/cmp"
)

// TestMain makes this binary its own parsing child, as the command 'outlay parse' is in the product.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "parse" {
		if err := duckdb.ParseMain(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// csvFile writes records, one text of 'column=value' pairs separated by '|' each, as a CSV file; a name that ends in
// .gz is packed. The header is that of the first record, and the byte order mark is Azure's.
func csvFile(t *testing.T, name string, records ...string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("\ufeff")
	quote := func(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
	for i, r := range records {
		var header, line []string
		for pair := range strings.SplitSeq(r, "|") {
			k, v, _ := strings.Cut(pair, "=")
			header, line = append(header, k), append(line, quote(v))
		}
		if i == 0 {
			b.WriteString(strings.Join(header, ",") + "\r\n")
		}
		b.WriteString(strings.Join(line, ",") + "\r\n")
	}
	out := []byte(b.String())
	if strings.HasSuffix(name, ".gz") {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		_, _ = z.Write(out) // into memory
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		out = packed.Bytes()
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, out, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// parquetFile writes the records of csvFile as snappy Parquet with the types given by column; others are texts.
func parquetFile(t *testing.T, name string, types map[string]string, records ...string) string {
	t.Helper()
	from := csvFile(t, "plain.csv", records...)
	path := filepath.Join(t.TempDir(), name)
	db := engine(t)
	var list []string
	for k, v := range types {
		list = append(list, fmt.Sprintf(`CAST(%q AS %s) AS %q`, k, v, k))
	}
	if _, err := db.Exec(fmt.Sprintf(`COPY (SELECT * REPLACE (%s) FROM read_csv('%s', all_varchar=true, header=true)) TO '%s' (FORMAT parquet, COMPRESSION snappy)`, strings.Join(list, ", "), from, path)); err != nil {
		t.Fatal(err)
	}
	return path
}

func engine(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// parse runs files through a format's mapping, in the child.
func parse(t *testing.T, format string, files ...string) []outlay.ParsedPeriod {
	t.Helper()
	mapping, err := New(Options{}).Mapping(format)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := duckdb.Child{Command: []string{os.Args[0], "parse"}}.Parse(t.Context(), outlay.ParseJob{
		OrgID: "org_1", SourceID: "src_1", Files: files, Mapping: mapping, OutDir: t.TempDir(), Generation: "gen_1", Threads: 1,
	})
	if err != nil {
		t.Fatalf("parsing as %s: %v", format, err)
	}
	for _, p := range parsed {
		if diff := cmp.Diff(p.Proof.Read, p.Proof.Written); diff != "" {
			t.Errorf("sums differ:\n%s", diff)
		}
	}
	return parsed
}

// rowsOf are the written rows as texts of 'column=value', only what is not null of the named columns, in the order of
// the first column.
func rowsOf(t *testing.T, parsed []outlay.ParsedPeriod, columns ...string) []string {
	t.Helper()
	var paths, list []string
	for _, p := range parsed {
		for _, f := range p.Files {
			paths = append(paths, "'"+f.Path+"'")
		}
	}
	for _, c := range columns {
		list = append(list, fmt.Sprintf(`'%s=' || CAST(%s AS VARCHAR)`, c, c))
	}
	rows, err := engine(t).Query(fmt.Sprintf(`SELECT concat_ws('|', %s) FROM read_parquet([%s]) ORDER BY ALL`, strings.Join(list, ", "), strings.Join(paths, ", ")))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, plainDecimals(s))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

var decimalValue = regexp.MustCompile(`=(-?[0-9]+)\.([0-9]*?)0*(\||$)`)

// plainDecimals takes the zeros at the end off the decimals in a row.
func plainDecimals(row string) string {
	return strings.NewReplacer(".|", "|").Replace(strings.TrimSuffix(decimalValue.ReplaceAllString(row, "=$1.$2$3"), "."))
}

const (
	subscriptionA = "1CAAA5A3-2B66-438E-8AB4-BCE37D518C5D"
	vm            = "/subscriptions/1caaa5a3-2b66-438e-8ab4-bce37d518c5d/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm1"
)

// headers are one charge as each kind of agreement spells it: 24 hours of a machine on 4 September 2023.
func headers() map[string]string {
	return map[string]string{
		"enterprise agreement of 2020": "BillingAccountId=8611537|BillingPeriodStartDate=09/01/2023|BillingPeriodEndDate=09/30/2023|SubscriptionId=" + subscriptionA +
			"|SubscriptionName=Research|Date=09/04/2023|Product=VM BS|MeterId=m1|ServiceFamily=Compute|MeterCategory=Virtual Machines|MeterName=B1s|Quantity=24|EffectivePrice=0.1|Cost=2.4|UnitPrice=0.1" +
			"|BillingCurrency=USD|ResourceLocation=UK South|ResourceId=" + vm + `|Tags="User": "ada","env": "prod"|UnitOfMeasure=1 Hour|PublisherName=|ChargeType=Usage|Frequency=UsageBased|PublisherType=Azure|PayGPrice=0.11|PricingModel=OnDemand|ReservationId=|benefitId=`,
		"enterprise agreement": "BillingAccountId=8611537|BillingPeriodStartDate=09/01/2023|BillingPeriodEndDate=09/30/2023|SubscriptionId=" + subscriptionA +
			"|SubscriptionName=Research|Date=09/04/2023|ProductName=VM BS|MeterId=m1|ServiceFamily=Compute|MeterCategory=Virtual Machines|MeterName=B1s|Quantity=24|EffectivePrice=0.1|CostInBillingCurrency=2.4|UnitPrice=0.1" +
			"|BillingCurrencyCode=USD|ResourceLocation=uksouth|ResourceId=" + vm + `|Tags={"User": "ada","env": "prod"}|UnitOfMeasure=1 Hour|PublisherName=Microsoft|ChargeType=Usage|Frequency=UsageBased|PublisherType=Azure|PayGPrice=0.11|PricingModel=OnDemand|ReservationId=|benefitId=`,
		"customer agreement": "billingAccountId=8611537|billingPeriodStartDate=09/01/2023|billingPeriodEndDate=09/30/2023|SubscriptionId=" + subscriptionA +
			"|subscriptionName=Research|date=09/04/2023|ProductName=VM BS|ProductId=m1|serviceFamily=Compute|meterCategory=Virtual Machines|meterName=B1s|quantity=24|effectivePrice=0.1|costInBillingCurrency=2.4|costInUsd=2.4|unitPrice=0.1" +
			"|billingCurrency=USD|pricingCurrency=USD|resourceLocation=uksouth|ResourceId=" + vm + `|tags="User": "ada","env": "prod"|unitOfMeasure=1 Hour|publisherName=Microsoft|chargeType=Usage|frequency=UsageBased|publisherType=Azure|paygCostInBillingCurrency=2.64|PayGPrice=0.11|pricingModel=OnDemand|reservationId=|benefitId=`,
		"pay as you go": "SubscriptionGuid=" + subscriptionA + "|SubscriptionName=Research|UsageDateTime=2023-09-04T00:00:00Z|MeterCategory=Virtual Machines|MeterId=m1|MeterName=B1s|UsageQuantity=24|ResourceRate=0.1|PreTaxCost=2.4|PayGPrice=0.11" +
			"|Currency=usd|ResourceLocation=uksouth|InstanceId=" + vm + `|Tags={"User": "ada","env": "prod"}|UnitOfMeasure=1 Hour`,
	}
}

// TestEveryAgreementGivesTheSameCharge runs one charge through the words of each agreement.
func TestEveryAgreementGivesTheSameCharge(t *testing.T) {
	want := []string{"BilledCost=2.4|EffectiveCost=2.4|ListCost=2.64|ContractedCost=2.4|BillingCurrency=USD|BillingPeriodStart=2023-09-01 00:00:00|BillingPeriodEnd=2023-10-01 00:00:00" +
		"|ChargePeriodStart=2023-09-04 00:00:00|ChargePeriodEnd=2023-09-05 00:00:00|ChargeCategory=Usage|ChargeFrequency=Usage-Based|ConsumedQuantity=24|PricingQuantity=24|PricingUnit=1 Hour" +
		"|ProviderName=Microsoft|PublisherName=Microsoft|RegionId=uksouth|ServiceName=Virtual Machines|SkuId=m1|SkuMeter=B1s|SubAccountId=1caaa5a3-2b66-438e-8ab4-bce37d518c5d|SubAccountName=Research" +
		"|tag_User=ada|Tags={env=prod}|ResourceName=vm1"}
	columns := columnNames(want[0])
	for name, record := range headers() {
		t.Run(name, func(t *testing.T) {
			format := formatActual
			if strings.HasPrefix(name, "pay") {
				format = formatUsage
			}
			if diff := cmp.Diff(want, rowsOf(t, parse(t, format, csvFile(t, "part_0_0001.csv.gz", record)), columns...)); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func columnNames(row string) []string {
	var out []string
	for pair := range strings.SplitSeq(row, "|") {
		name, _, _ := strings.Cut(pair, "=")
		out = append(out, name)
	}
	return out
}

// TestOlderSetsAsParquet has numbers and dates instead of texts.
func TestOlderSetsAsParquet(t *testing.T) {
	record := strings.ReplaceAll(headers()["enterprise agreement"], "09/01/2023", "2023-09-01")
	record = strings.ReplaceAll(record, "09/04/2023", "2023-09-04")
	file := parquetFile(t, "part_0_0001.snappy.parquet", map[string]string{
		"Date": "TIMESTAMP", "BillingPeriodStartDate": "DATE", "Quantity": "DOUBLE", "CostInBillingCurrency": "DECIMAL(38,18)", "PayGPrice": "DOUBLE", "UnitPrice": "DECIMAL(20,10)",
	}, record)
	got := rowsOf(t, parse(t, formatActual, file), "BilledCost", "ListCost", "ContractedCost", "ChargePeriodStart", "BillingPeriodEnd", "PricingQuantity")
	if diff := cmp.Diff([]string{"BilledCost=2.4|ListCost=2.64|ContractedCost=2.4|ChargePeriodStart=2023-09-04 00:00:00|BillingPeriodEnd=2023-10-01 00:00:00|PricingQuantity=24"}, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

// TestCustomerAgreementInAnotherCurrency is billed in euros by prices in dollars, to a billing profile, through a partner.
func TestCustomerAgreementInAnotherCurrency(t *testing.T) {
	row := strings.NewReplacer("billingCurrency=USD", "billingCurrency=EUR", "PayGPrice=0.11", "PayGPrice=0.2", "costInBillingCurrency=2.4", "costInBillingCurrency=1.2").
		Replace(headers()["customer agreement"]) + "|billingProfileId=P1|billingProfileName=Europe|partnerName=Contoso|exchangeRatePricingToBilling=0.9"
	want := "BilledCost=1.2|ListCost=2.64|ContractedCost=2.16|ListUnitPrice=0.18|ContractedUnitPrice=0.09|PricingCurrency=USD|PricingCurrencyListUnitPrice=0.2|PricingCurrencyContractedUnitPrice=0.1" +
		"|BillingCurrency=EUR|BillingAccountId=P1|BillingAccountName=Europe|InvoiceIssuerName=Contoso"
	for _, tt := range []struct{ name, old, with, want string }{
		{"with a rate", "", "", want},
		{"without a rate", "exchangeRatePricingToBilling=0.9", "exchangeRatePricingToBilling=", strings.NewReplacer("=2.16", "=1.2", "ListUnitPrice=0.18|", "", "ContractedUnitPrice=0.09|", "").Replace(want)},
		{"without a list cost", "paygCostInBillingCurrency=2.64", "paygCostInBillingCurrency=0", strings.Replace(want, "=2.64", "=4.32", 1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := rowsOf(t, parse(t, formatActual, csvFile(t, "part.csv", strings.Replace(row, tt.old, tt.with, 1))), columnNames(want)...)
			if diff := cmp.Diff([]string{tt.want}, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

// commitmentRows are a month with a reservation: bought for 30, of which 12 is spread over the days and 2 of that unused,
// beside a machine at list price for 5 and a refund.
func commitmentRows() (actual, amortized []string) {
	row := func(kind, model, quantity, cost, reservation, day string) string {
		return "BillingPeriodStartDate=09/01/2023|SubscriptionId=" + subscriptionA + "|Date=09/" + day + "/2023|MeterCategory=Virtual Machines|Quantity=" + quantity + "|Cost=" + cost +
			"|UnitPrice=0|PayGPrice=0|BillingCurrency=EUR|ChargeType=" + kind + "|Frequency=UsageBased|PricingModel=" + model + "|ReservationId=" + reservation
	}
	actual = []string{
		row("Purchase", "Reservation", "1", "30", "R1", "02"), row("Usage", "Reservation", "10", "0", "R1", "03"),
		row("Usage", "OnDemand", "5", "5", "", "03"), row("Refund", "OnDemand", "1", "-1.5", "", "04"),
	}
	amortized = []string{
		row("Usage", "Reservation", "10", "10", "R1", "03"), row("UnusedReservation", "Reservation", "2", "2", "R1", "03"),
		row("Usage", "OnDemand", "5", "5", "", "03"), row("Refund", "OnDemand", "1", "-1.5", "", "04"),
	}
	return actual, amortized
}

// TestPairGivesEachCostOnce reads both halves of a bill: billed sums are those of the one, effective sums those of the
// other, and nothing that both hold counts twice.
func TestPairGivesEachCostOnce(t *testing.T) {
	actual, amortized := commitmentRows()
	parsed := parse(t, formatPair, csvFile(t, "0.actual.csv", actual...), csvFile(t, "1.amortized.csv.gz", amortized...))
	if len(parsed) != 1 || parsed[0].Proof.Rows != 8 {
		t.Fatalf("parsed %+v", parsed)
	}
	want := map[string]map[outlay.Measure]string{"EUR": {outlay.Billed: "33.5", outlay.Effective: "15.5", outlay.List: "15.5", outlay.Contracted: "15.5"}}
	if diff := cmp.Diff(want, parsed[0].Proof.Written); diff != "" {
		t.Errorf("sums (-want +got):\n%s", diff)
	}
	got := rowsOf(t, parsed, "ChargeCategory", "BilledCost", "EffectiveCost", "PricingQuantity", "CommitmentDiscountId", "CommitmentDiscountStatus", "PricingCategory", "ChargeClass")
	if diff := cmp.Diff([]string{
		"ChargeCategory=Purchase|BilledCost=-1.5|EffectiveCost=0|ChargeClass=Correction",
		"ChargeCategory=Purchase|BilledCost=0|EffectiveCost=-1.5|PricingQuantity=1|ChargeClass=Correction",
		"ChargeCategory=Purchase|BilledCost=30|EffectiveCost=0|CommitmentDiscountId=r1",
		"ChargeCategory=Usage|BilledCost=0|EffectiveCost=0|CommitmentDiscountId=r1|CommitmentDiscountStatus=Used|PricingCategory=Committed",
		"ChargeCategory=Usage|BilledCost=0|EffectiveCost=10|PricingQuantity=10|CommitmentDiscountId=r1|CommitmentDiscountStatus=Used|PricingCategory=Committed",
		"ChargeCategory=Usage|BilledCost=0|EffectiveCost=2|PricingQuantity=2|CommitmentDiscountId=r1|CommitmentDiscountStatus=Unused|PricingCategory=Committed",
		"ChargeCategory=Usage|BilledCost=0|EffectiveCost=5|PricingQuantity=5|PricingCategory=Standard",
		"ChargeCategory=Usage|BilledCost=5|EffectiveCost=0|PricingCategory=Standard",
	}, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	var quantity float64
	if err := engine(t).QueryRow("SELECT sum(PricingQuantity) FROM read_parquet('" + parsed[0].Files[0].Path + "')").Scan(&quantity); err != nil {
		t.Fatal(err)
	}
	if quantity != 18 {
		t.Errorf("quantities sum to %v, want those of the amortized half alone: 18", quantity)
	}
}

// TestHalvesAlone says what each half gives when it stands alone: actual costs stand for both, and what a commitment
// covers was not billed again.
func TestHalvesAlone(t *testing.T) {
	actual, amortized := commitmentRows()
	for _, tt := range []struct {
		format            string
		rows              []string
		billed, effective string
	}{
		{formatActual, actual, "33.5", "33.5"},
		{formatAmortized, amortized, "3.5", "15.5"},
	} {
		t.Run(tt.format, func(t *testing.T) {
			sums := parse(t, tt.format, csvFile(t, "part.csv", tt.rows...))[0].Proof.Written["EUR"]
			if sums[outlay.Billed] != tt.billed || sums[outlay.Effective] != tt.effective {
				t.Errorf("sums %v, want billed %s and effective %s", sums, tt.billed, tt.effective)
			}
		})
	}
}

// focusRow is one charge of FocusCost, with changes as 'column=value' pairs.
func focusRow(changes ...string) string {
	values := map[string]string{
		"BilledCost": "1.25", "EffectiveCost": "1.25", "ListCost": "2", "ContractedCost": "1.5", "ListUnitPrice": "0.2", "ContractedUnitPrice": "0.15", "BillingCurrency": "USD",
		"BillingAccountId": "/providers/Microsoft.Billing/billingAccounts/1/billingProfiles/P", "BillingPeriodStart": "2026-10-01T00:00:00Z", "BillingPeriodEnd": "2026-11-01T00:00:00Z",
		"ChargePeriodStart": "2026-10-03T00:00:00Z", "ChargePeriodEnd": "2026-10-04T00:00:00Z", "ChargeCategory": "Usage", "ChargeClass": "", "CommitmentDiscountId": "",
		"ProviderName": "Microsoft", "PublisherName": "Microsoft", "ServiceName": "Virtual Machines", "ServiceCategory": "Compute", "SubAccountId": "/subscriptions/" + subscriptionA,
		"Tags": `{"user":"ada","env":"prod"}`, "x_SkuMeterId": "m1", "x_PublisherCategory": "Cloud Provider", "x_SkuMeterSubcategory": "BS Series",
	}
	for _, c := range changes {
		k, v, _ := strings.Cut(c, "=")
		values[k] = v
	}
	var out []string
	for _, k := range sortedKeys(values) {
		out = append(out, k+"="+values[k])
	}
	return strings.Join(out, "|")
}

// TestFocusIsRepaired has one row for each gap of clouds.md §3.10.
func TestFocusIsRepaired(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change []string
		want   string // of the row, by its own column names
		note   string
	}{
		{"subscription", nil, "SubAccountId=1caaa5a3-2b66-438e-8ab4-bce37d518c5d|tag_User=ada|BillingPeriodEnd=2026-11-01 00:00:00", ""},
		{"marketplace without a list price", []string{"x_PublisherCategory=Vendor", "ListCost=0", "ListUnitPrice=0", "ContractedCost=0", "ContractedUnitPrice=0"}, "BilledCost=1.25|ListCost=0|ContractedCost=0|ListUnitPrice=|ContractedUnitPrice=", "1 charge had no ListCost; it counts as 0."},
		{"reservation without a contracted price", []string{"CommitmentDiscountId=/Providers/R/1", "BilledCost=0", "ContractedCost=0", "ContractedUnitPrice=0"}, "CommitmentDiscountId=/providers/r/1|ContractedUnitPrice=|ListCost=2", "1 charge had no ContractedCost; it counts as 0."},
		{"free of charge is no gap", []string{"BilledCost=0", "EffectiveCost=0", "ListCost=0", "ListUnitPrice=0"}, "ListCost=0|ContractedCost=1.5", ""},
		{"no service, marketplace", []string{"ServiceName=", "x_PublisherCategory=Vendor", "PublisherName=Acme"}, "ServiceName=Acme", ""},
		{"no service", []string{"ServiceName=", "x_SkuMeterSubcategory=Rounding"}, "ServiceName=Rounding", ""},
		{"no publisher", []string{"PublisherName="}, "PublisherName=Microsoft|ProviderName=Microsoft", ""},
		{"a period that is no month", []string{"BillingPeriodStart=2026-10-05T00:00:00Z", "BillingPeriodEnd=2026-10-31T00:00:00Z"}, "BillingPeriodStart=2026-10-01 00:00:00|BillingPeriodEnd=2026-11-01 00:00:00", ""},
		{"an end that is no end", []string{"ChargePeriodEnd=2026-10-03T00:00:00Z"}, "ChargePeriodEnd=2026-10-04 00:00:00", ""},
		{"no tags", []string{"Tags="}, "BilledCost=1.25", ""},
		{"tags without braces", []string{`Tags="User": "eve"`}, "tag_User=eve", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			parsed := parse(t, formatFocus, csvFile(t, "part_0_0001.csv", focusRow(tt.change...)))
			var want []string
			for pair := range strings.SplitSeq(tt.want, "|") {
				if !strings.HasSuffix(pair, "=") { // nothing is wanted there
					want = append(want, pair)
				}
			}
			got := strings.FieldsFunc(rowsOf(t, parsed, columnNames(tt.want)...)[0], func(r rune) bool { return r == '|' })
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("row (-want +got):\n%s", diff)
			}
			notes := strings.Join(parsed[0].Proof.Notes, "\n")
			if tt.note != "" && !strings.Contains(notes, tt.note) || tt.note == "" && strings.Contains(notes, "counts as 0") {
				t.Errorf("notes %q, want %q", notes, tt.note)
			}
		})
	}
}

// TestOlderFocus reads FOCUS 1.0 as its CSV is: times without seconds, and what 1.2 has columns for under Azure's names.
func TestOlderFocus(t *testing.T) {
	minutes := func(r string) string { return strings.ReplaceAll(r, ":00:00Z", ":00Z") }
	older := []string{"x_InvoiceId=G1", "x_PricingCurrency=EUR", "x_SkuMeterName=D8s v5", `x_SkuDetails={"VCPUs":8}`}
	want := []string{`BillingPeriodStart=2026-10-01 00:00:00|BillingPeriodEnd=2026-11-01 00:00:00|ChargePeriodStart=2026-10-03 00:00:00|ChargePeriodEnd=2026-10-04 00:00:00` +
		`|InvoiceId=G1|PricingCurrency=EUR|SkuMeter=D8s v5|SkuPriceDetails={"VCPUs":8}`}
	times := map[string]string{}
	for _, c := range []string{"BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd"} {
		times[c] = "TIMESTAMP"
	}
	for name, file := range map[string]string{
		"1.0 CSV":   csvFile(t, "part.csv.gz", minutes(focusRow(older...))),
		"1.0r2 CSV": csvFile(t, "part.csv", focusRow(older...)),
		"Parquet":   parquetFile(t, "part.snappy.parquet", times, focusRow(older...)),
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(want, rowsOf(t, parse(t, formatFocus, file), columnNames(want[0])...)); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTimesThatAreNone refuses a file whose times cannot be read, and says where.
func TestTimesThatAreNone(t *testing.T) {
	mapping, err := New(Options{}).Mapping(formatFocus)
	if err != nil {
		t.Fatal(err)
	}
	for _, column := range []string{"BillingPeriodStart", "ChargePeriodStart", "ChargePeriodEnd"} {
		_, err := duckdb.Child{Command: []string{os.Args[0], "parse"}}.Parse(t.Context(), outlay.ParseJob{
			OrgID: "org_1", SourceID: "src_1", Files: []string{csvFile(t, "part.csv", focusRow(), focusRow(column+"=soon"))}, Mapping: mapping, OutDir: t.TempDir(), Generation: "gen_1", Threads: 1,
		})
		if outlay.CodeOf(err) != outlay.CodeInvalid || !strings.Contains(err.Error(), column) || !strings.Contains(err.Error(), "line 3") {
			t.Errorf("%s: %v", column, err)
		}
	}
}

// TestTagsThatAreBroken keeps the charge and the text: one broken tag is no reason to refuse a month.
func TestTagsThatAreBroken(t *testing.T) {
	legacy := headers()["enterprise agreement"]
	for _, tt := range []struct{ name, tags, want string }{
		{"cut short", `"User": "ada","env": "pr`, `x_Tags=` + `"User": "ada","env": "pr`},
		{"a key twice", `{"User":"ada","User":"eve"}`, `tag_User=ada`},
		{"a trailing comma", `"User": "ada",`, `tag_User=ada`},
		{"nested", `{"User":"ada","x":{"y":1}}`, `tag_User=ada`},
		{"null", `null`, ``},
	} {
		for _, format := range []string{formatActual, formatFocus} {
			t.Run(tt.name+" "+format, func(t *testing.T) {
				record := focusRow("Tags=" + tt.tags)
				if format == formatActual {
					record = regexp.MustCompile(`Tags=[^|]*`).ReplaceAllLiteralString(legacy, "Tags="+tt.tags)
				}
				parsed := parse(t, format, csvFile(t, "part.csv", record))
				var tag, text *string
				if err := engine(t).QueryRow(`SELECT tag_User, x_Other::JSON ->> '$.x_Tags' FROM read_parquet('`+parsed[0].Files[0].Path+`')`).Scan(&tag, &text); err != nil {
					t.Fatal(err)
				}
				got := ""
				if tag != nil {
					got = "tag_User=" + *tag
				}
				if text != nil {
					got += "x_Tags=" + *text
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}
