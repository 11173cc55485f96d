package ingest_test

import (
	"fmt"
	"strings"

	"outlay"
)

// billHeader is what a small FOCUS 1.0 export delivers: the columns that must be there, and some that may.
const billHeader = "BilledCost,EffectiveCost,ListCost,ContractedCost,BillingCurrency,BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ProviderName,ServiceName,SubAccountId,SubAccountName,Tags"

// bill is a CSV of rows charges of cost each, of one month.
func bill(p outlay.Period, rows int, cost string) string {
	return billOf(billHeader, p, rows, cost, "USD")
}

func billOf(header string, p outlay.Period, rows int, cost, currency string) string {
	var b strings.Builder
	b.WriteString(header + "\n")
	for i := range rows {
		fmt.Fprintf(&b, "%s,%s,%s,%s,%s,%s-01 00:00:00,%s 00:00:00,%s-%02d 00:00:00,%s-%02d 00:00:00,Usage,Nimbus,Storage,acct-%d,Account %d,\"{\"\"Project\"\": \"\"p%d\"\"}\"",
			cost, cost, cost, cost, currency, p, p.End().Format("2006-01-02"), p, i%28+1, p, i%28+2, i%3, i%3, i%2)
		b.WriteString(strings.Repeat(",extra", strings.Count(header, ",")-strings.Count(billHeader, ",")))
		b.WriteString("\n")
	}
	return b.String()
}
