package azure

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

var exportName = regexp.MustCompile(`^[-\w]{3,64}$`)

func badExport(format string, args ...any) *refusal {
	return refuse(http.StatusBadRequest, "400", format, args...)
}

// checkExport is what Cost Management checks when an export is put, in its order as far as that is known.
func (c *Cloud) checkExport(k *call, s costScope, in exportBody, old *export) *refusal {
	if !exportName.MatchString(k.P["name"]) {
		return badExport("Invalid export name; valid are 3 to 64 letters, digits, hyphens and underscores.")
	}
	if (in.Identity == nil) != (in.Location == "") {
		return badExport("Identity and location have to be given together or not at all.")
	}
	if fail := checkDefinition(s, in.Properties.Definition); fail != nil {
		return fail
	}
	if fail := checkFormat(in.Properties); fail != nil {
		return fail
	}
	if fail := c.checkSchedule(in.Properties, old); fail != nil {
		return fail
	}
	return c.checkDestination(k, in)
}

func checkDefinition(s costScope, d exportDefinition) *refusal {
	if !slices.Contains(s.Datasets, d.Type) {
		return badExport("Invalid definition type '%s'; valid values for this scope: %s.", d.Type, strings.Join(s.Datasets, ", "))
	}
	frames := []string{"MonthToDate", "BillingMonthToDate", "TheLastMonth", "TheLastBillingMonth", "WeekToDate", "TheCurrentMonth", "Custom"}
	if !slices.Contains(frames, d.Timeframe) {
		return badExport("Invalid definition timeframe '%s'.", d.Timeframe)
	}
	if (d.Timeframe == "Custom") != (d.TimePeriod != nil) {
		return badExport("A custom timeframe has a time period, others have none.")
	}
	if d.DataSet != nil && d.DataSet.Granularity != "" && d.DataSet.Granularity != "Daily" && d.DataSet.Granularity != "Monthly" {
		return badExport("Invalid dataSet granularity '%s'; valid values: Daily, Monthly.", d.DataSet.Granularity)
	}
	if d.Type == "FocusCost" && !slices.Contains([]string{"1.0-preview(v1)", "1.0", "1.0r2", "1.2-preview"}, d.version()) {
		return badExport("Invalid dataVersion '%s' for FocusCost.", d.version())
	}
	return nil
}

// version is the data version asked for.
func (d exportDefinition) version() string {
	if d.DataSet == nil || d.DataSet.Configuration == nil {
		return ""
	}
	return d.DataSet.Configuration.DataVersion
}

// checkFormat allows the pairs that Azure writes: csv with gzip or none, parquet with snappy or none.
func checkFormat(p exportProperties) *refusal {
	format, compression := p.Format, strings.ToLower(p.Compression)
	if format == "" {
		format = "Csv"
	}
	ok := map[string][]string{"Csv": {"", "none", "gzip"}, "Parquet": {"", "none", "snappy"}}[format]
	if !slices.Contains(ok, compression) {
		return badExport("Invalid compressionMode '%s' for the format %s.", p.Compression, p.Format)
	}
	if !slices.Contains([]string{"", "OverwritePreviousReport", "CreateNewReport"}, p.Overwrite) {
		return badExport("Invalid dataOverwriteBehavior '%s'.", p.Overwrite)
	}
	if p.Overwrite == "OverwritePreviousReport" && (p.PartitionData == nil || !*p.PartitionData) {
		return badExport("Invalid dataOverwriteBehavior; OverwritePreviousReport needs partitionData.")
	}
	return nil
}

// checkSchedule wants the beginning in the future, unless an update leaves it as it was.
func (c *Cloud) checkSchedule(p exportProperties, old *export) *refusal {
	s := p.Schedule
	if s == nil || strings.EqualFold(s.Status, "Inactive") {
		return nil
	}
	if !slices.Contains([]string{"Daily", "Weekly", "Monthly", "Annually"}, s.Recurrence) || s.RecurrencePeriod == nil {
		return badExport("Invalid schedule; an active one has a recurrence and a recurrencePeriod.")
	}
	kept := old != nil && old.Properties.Schedule != nil && old.Properties.Schedule.RecurrencePeriod != nil && old.Properties.Schedule.RecurrencePeriod.From.Equal(s.RecurrencePeriod.From)
	if !kept && !s.RecurrencePeriod.From.After(c.opt.Now()) {
		return badExport("Invalid schedule recurrencePeriod from; it has to be in the future.")
	}
	if !s.RecurrencePeriod.To.After(s.RecurrencePeriod.From) {
		return badExport("Invalid schedule recurrencePeriod; to has to be after from.")
	}
	return nil
}

func (c *Cloud) checkDestination(k *call, in exportBody) *refusal {
	d := in.Properties.DeliveryInfo.Destination
	switch {
	case d.SasToken != "" || d.StorageAccount != "":
		return badExport("Destinations by SAS token are for selected partners only.")
	case strings.HasPrefix(d.RootFolderPath, "/"):
		return badExport("Invalid deliveryInfo destination rootFolderPath; value cannot begin with a forward slash")
	case !containerName.MatchString(d.Container):
		return badExport("Invalid deliveryInfo destination container '%s'.", d.Container)
	}
	parts := strings.Split(strings.Trim(d.ResourceID, "/"), "/")
	if len(parts) != 8 || !strings.EqualFold(parts[0], "subscriptions") {
		return badExport("Invalid deliveryInfo destination resourceId '%s'.", d.ResourceID)
	}
	s, fail := c.subscriptionOf(k, parts[1])
	if fail != nil {
		return fail
	}
	r := s.provider("Microsoft.CostManagementExports")
	if r.State == "Registered" && r.Refusals > 0 {
		r.Refusals--
		return notRegistered()
	}
	if r.State != "Registered" {
		return notRegistered()
	}
	a := c.accountByID("/" + strings.Join(parts, "/"))
	if a == nil {
		return refuse(http.StatusNotFound, "ResourceNotFound", "The Resource 'Microsoft.Storage/storageAccounts/%s' under resource group '%s' was not found.", parts[7], parts[3])
	}
	return c.checkAccess(k, in, a)
}

func notRegistered() *refusal {
	return badExport("RP Not Registered. Register destination storage account subscription with Microsoft.CostManagementExports. See https://aka.ms/rpregister.")
}

// checkAccess is about how the export will write: as its identity, which needs a role assignment, or with a key.
func (c *Cloud) checkAccess(k *call, in exportBody, a *storageAccount) *refusal {
	if in.Identity != nil && strings.EqualFold(in.Identity.Type, "SystemAssigned") {
		if !c.decide(k.Subject, "Microsoft.Authorization/roleAssignments/write", a.id()) {
			return refuse(http.StatusUnauthorized, "Unauthorized", "The user or service principal '%s' does not have authorization to perform 'Microsoft.Authorization/roleAssignments/write' action on specified storage account '%s'.", k.Subject, a.id())
		}
		return nil
	}
	if !a.flag("allowSharedKeyAccess", true) {
		return badExport("Key-based authentication is currently disabled on this storage account. Enable it, or use a managed identity for the export.")
	}
	return c.need(k, "Microsoft.Storage/storageAccounts/listKeys/action", a.id())
}
