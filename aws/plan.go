package aws

import (
	"fmt"
	"slices"
	"strings"

	"outlay"
)

// planner builds one plan from one observation.
type planner struct {
	p    *Provider
	s    *outlay.Source
	seen outlay.Observation
	n    names
	plan outlay.Plan
}

// Plan lists the changes from seen to what the source asks for; with no Spec, to nothing. It does no I/O, and the same
// input gives the same plan.
func (p *Provider) Plan(s *outlay.Source, seen outlay.Observation) (outlay.Plan, error) {
	pl := &planner{p: p, s: s, seen: seen, n: p.namesOf(s, seen.Identity)}
	pl.plan.Notes = append(pl.plan.Notes, seen.Notes...)
	if isImported(s) {
		return pl.imported()
	}
	if s.Spec == nil {
		return pl.down()
	}
	if from := s.Spec.Fields[fieldBackfill]; from != "" {
		return pl.backfill(from)
	}
	return pl.up()
}

func (pl *planner) note(level, format string, args ...any) {
	pl.plan.Notes = append(pl.plan.Notes, outlay.Note{Level: level, Text: fmt.Sprintf(format, args...)})
}

func (pl *planner) add(c outlay.Change) {
	c.Settle = pl.p.settle(c.Kind)
	if c.Action != outlay.ActionCreate {
		c.Settle = 0
	}
	pl.plan.Changes = append(pl.plan.Changes, c)
}

// up plans toward what was asked for, in the order in which the parts need each other.
func (pl *planner) up() (outlay.Plan, error) {
	if err := pl.checkSpec(); err != nil {
		return outlay.Plan{}, err
	}
	pl.notes()
	bucket, there := pl.seen.Find(kindBucket, pl.n.Bucket)
	pl.bucket(bucket, there)
	pl.access(there)
	pl.settings(there)
	pl.policy(there)
	pl.export()
	pl.tags()
	return pl.plan, nil
}

// checkSpec refuses what AWS would refuse only half-way through.
func (pl *planner) checkSpec() error {
	if pl.seen.Identity.AccountID == "" {
		return outlay.Errorf(outlay.CodeInternal, "", "a plan needs to know the account")
	}
	if !knownRegion(pl.n.Partition, pl.s.Spec.Region) {
		return outlay.Errorf(outlay.CodeInvalid, "Choose a region of the list.", "%q is not a region that Outlay can put billing data in", clip(pl.s.Spec.Region, 40)).InField("region")
	}
	if err := checkBucketName(pl.n); err != nil {
		return err
	}
	for _, key := range pl.s.Spec.Tags {
		if key == "" || len(key) > 128 || strings.HasPrefix(strings.ToLower(key), "aws:") {
			return outlay.Errorf(outlay.CodeInvalid, "A tag key has 1 to 128 characters and does not begin with aws:.", "%q cannot be a tag key", clip(key, 60)).InField("tags")
		}
	}
	if pl.s.Spec.Region != pl.n.Region {
		return outlay.Errorf(outlay.CodeConflict, "Deprovision first, or keep "+pl.n.Region+".",
			"the bucket is in %s; its region cannot change while it exists", pl.n.Region).InField("region")
	}
	return nil
}

// notes are the sentences beside the plan: what is missing, what could not be seen, and what a member account means.
func (pl *planner) notes() {
	pl.missing()
	pl.unseen()
	id := pl.seen.Identity
	switch id.Extra[extraKind] {
	case member:
		pl.note("warn", "Account %s is a member of an AWS organization. The export will hold the costs of this account alone, and tags can be turned on in the payer account only: %s. Provision billing there to see all accounts.",
			id.AccountID, payerText(id))
	case "":
		pl.note("info", "Outlay could not find out whether account %s is a payer account: a member's export holds the costs of that account alone.", id.AccountID)
	}
}

func payerText(id outlay.Identity) string {
	if mail := id.Extra[extraPayerEmail]; mail != "" {
		return id.Scope.ID + " (" + mail + ")"
	}
	return id.Scope.ID
}

// missing blocks a plan whose permissions lack; a soft one is a warning, and one that this plan does not need is
// nothing to speak of.
func (pl *planner) missing() {
	needs := needsOf(pl.s, pl.n)
	var hard, soft []string
	for _, m := range pl.seen.Missing() {
		i := slices.IndexFunc(needs, func(n need) bool { return n.action == m.Action })
		if i < 0 {
			continue
		}
		text := m.Action
		if m.Why != "" {
			text += " (" + m.Why + ")"
		}
		if needs[i].soft {
			soft = append(soft, text)
		} else {
			hard = append(hard, text)
		}
	}
	if len(hard) > 0 {
		pl.note("block", "The credential lacks %s: %s. Add the policy shown, then check again.", plural(len(hard), "permission", "permissions"), strings.Join(hard, ", "))
	}
	if len(soft) > 0 {
		pl.note("warn", "The credential lacks %s that the run can do without: %s.", plural(len(soft), "permission", "permissions"), strings.Join(soft, ", "))
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// unseen blocks a plan that would rest on something that could not be read, the role's safety among them.
func (pl *planner) unseen() {
	for _, part := range []string{string(kindBucket), string(kindExport), "external-id"} {
		if why, ok := pl.seen.Unknown[part]; ok {
			pl.note("block", "Outlay could not look at everything: %s. Check again in a moment.", why)
		}
	}
	for _, part := range []string{string(kindTag), string(kindTable), string(kindAccess), string(kindSettings), string(kindPolicy)} {
		if why, ok := pl.seen.Unknown[part]; ok {
			pl.note("warn", "Outlay could not look at everything: %s.", why)
		}
	}
}

func (pl *planner) unknown(kind outlay.ResourceKind) bool {
	_, ok := pl.seen.Unknown[string(kind)]
	return ok
}

// bucket plans the bucket itself, which is born with our tags.
func (pl *planner) bucket(seen outlay.Resource, there bool) {
	c := outlay.Change{
		Action: outlay.ActionCreate, Kind: kindBucket, Name: pl.n.Bucket, Title: "S3 bucket", Detail: pl.n.Bucket + " in " + pl.n.Region,
		Step: "Create the S3 bucket", Look: "Look for the bucket", To: map[string]string{propRegion: pl.n.Region},
		Needs: []string{"s3:ListBucket", "s3:GetBucketTagging", "s3:CreateBucket", "s3:TagResource"},
	}
	if accountRegional(pl.n) {
		c.To[propNamespace] = "this account"
	}
	for k, v := range pl.p.ourTags(pl.s, "") {
		c.To["tag "+k] = v
	}
	switch {
	case pl.unknown(kindBucket):
		return
	case there && seen.State == outlay.StateForeign:
		pl.note("block", "The bucket %s exists already and was not made by Outlay for this. Choose another name; nothing in it is touched.", pl.n.Bucket)
		return
	case there:
		pl.add(keep(c, "It is there already"))
		return
	}
	pl.add(c)
}

// keep turns a change into a line that says why nothing is done.
func keep(c outlay.Change, why string) outlay.Change {
	return outlay.Change{Action: outlay.ActionKeep, Kind: c.Kind, Name: c.Name, Title: c.Title, Detail: why, Holds: c.Holds}
}

// part plans one part of the bucket: what differs from what is wanted, and nothing when it could not be read.
func (pl *planner) part(there bool, c outlay.Change, to map[string]string) {
	if pl.unknown(c.Kind) || pl.blockedBucket() {
		return
	}
	c.Action, c.Name = outlay.ActionUpdate, pl.n.Bucket
	seen, found := pl.seen.Find(c.Kind, pl.n.Bucket)
	if there && !found {
		return // the look did not ask for this part
	}
	c.From, c.To = differences(seen.Properties, to)
	if len(c.From) == 0 && len(c.To) == 0 {
		pl.add(keep(c, "As wanted"))
		return
	}
	if !there {
		c.From = nil
	}
	pl.add(c)
}

// blockedBucket tells whether the bucket is somebody else's or could not be looked at.
func (pl *planner) blockedBucket() bool {
	b, there := pl.seen.Find(kindBucket, pl.n.Bucket)
	return pl.unknown(kindBucket) || (there && b.State == outlay.StateForeign)
}

// differences are the settings that are not as wanted, as they are and as they should be. Settings that we do not own
// are not compared.
func differences(is, want map[string]string) (from, to map[string]string) {
	from, to = map[string]string{}, map[string]string{}
	for k, v := range want {
		if is[k] == v {
			continue
		}
		to[k] = v
		if old, ok := is[k]; ok {
			from[k] = old
		}
	}
	return from, to
}

func (pl *planner) access(there bool) {
	pl.part(there, outlay.Change{
		Kind: kindAccess, Title: "Public access", Detail: "All public access blocked, files owned by this account", Step: "Block public access", Soft: true,
		Needs: []string{"s3:PutBucketPublicAccessBlock", "s3:PutBucketOwnershipControls"},
	}, map[string]string{propPublic: publicBlocked, propOwnership: ownerEnforced})
}

func (pl *planner) settings(there bool) {
	pl.part(there, outlay.Change{
		Kind: kindSettings, Title: "Encryption and lifecycle", Detail: "Encrypted with S3's keys; unfinished uploads removed after 7 days", Step: "Set encryption and lifecycle", Soft: true,
		Needs: []string{"s3:PutEncryptionConfiguration", "s3:GetLifecycleConfiguration", "s3:PutLifecycleConfiguration"},
	}, map[string]string{propEncryption: encryptionS3, propUploads: uploadsRemoved})
}

func (pl *planner) policy(there bool) {
	pl.part(there, outlay.Change{
		Kind: kindPolicy, Title: "Bucket policy", Detail: "bcm-data-exports.amazonaws.com: PutObject; plain HTTP refused. Statements of others stay", Step: "Let AWS write to it",
		Needs: []string{"s3:GetBucketPolicy", "s3:PutBucketPolicy"},
	}, wantedStatements(pl.n))
}

// export plans the standing order for billing data.
func (pl *planner) export() {
	if pl.unknown(kindExport) {
		return
	}
	seen, there := pl.seen.Find(kindExport, pl.n.Export)
	want := pl.wantedExport(seen)
	c := outlay.Change{
		Kind: kindExport, Name: pl.n.Export, Title: "Data export", Detail: "FOCUS " + focusVersion(want[propTable]) + ", daily, Parquet, overwritten with each delivery",
		Look: "Look for an existing export", Verify: "Check that the export is healthy", To: want,
		Needs: []string{"bcm-data-exports:ListExports", "bcm-data-exports:GetExport", "bcm-data-exports:ListTagsForResource"},
	}
	switch {
	case there && seen.State == outlay.StateForeign:
		pl.note("block", "A data export named %s exists already and was not made by Outlay for this. Rename or remove it in the AWS console.", pl.n.Export)
	case !there:
		c.Action, c.Step = outlay.ActionCreate, "Create the data export"
		c.Needs = append(c.Needs, "bcm-data-exports:CreateExport", "bcm-data-exports:TagResource", "cur:PutReportDefinition")
		pl.add(c)
	default:
		pl.repairExport(c, seen, want)
	}
}

// repairExport plans what an existing export needs. AWS lets everything change but the table and its settings
// (clouds.md §2.3).
func (pl *planner) repairExport(c outlay.Change, seen outlay.Resource, want map[string]string) {
	c.Action, c.Step, c.Look = outlay.ActionUpdate, "Repair the data export", ""
	c.Needs = append(c.Needs, "bcm-data-exports:UpdateExport")
	if seen.Properties[propRows] != "" { // somebody's WHERE or LIMIT: costs would be missing
		want[propRows] = allRows
	}
	c.From, c.To = differences(seen.Properties, want)
	if strings.Contains(seen.Properties[propStatus], "BILL_OWNER_CHANGED") {
		pl.note("warn", "AWS no longer delivers: the account moved to another payer. Deprovision this set-up with its files kept, then provision again.")
		delete(c.To, propStatus)
	}
	if seen.Properties[propStatus] == "" {
		delete(c.To, propStatus) // AWS told none
	}
	_, newTable := c.To[propTable]
	_, newGranularity := c.To[propGranularity]
	if newTable || newGranularity {
		pl.note("warn", "The export selects from another table, or another granularity, than Outlay set; AWS does not let that change. Deprovision, then provision again.")
		pl.add(keep(c, "Its table cannot be changed"))
		return
	}
	if len(c.To) == 0 {
		pl.add(keep(c, "It is there already"))
		return
	}
	if status, ok := c.From[propStatus]; ok {
		c.Detail = "AWS reports the export as " + status
	}
	pl.add(c)
}

// wantedExport are the export's settings as they should be. Columns come from what AWS offers, cut to those that we
// know; an existing export keeps its columns while the table was not looked at.
func (pl *planner) wantedExport(seen outlay.Resource) map[string]string {
	table, columns := tableFocus12, focusColumns()
	if seen.Properties[propTable] != "" {
		table, columns = seen.Properties[propTable], costColumns(splitColumns(seen.Properties[propColumns]))
	}
	if row, ok := ledgerRow(pl.s, kindExport); ok && row.Properties[propTable] != "" && seen.Name == "" {
		table = row.Properties[propTable]
	}
	for _, r := range pl.seen.Resources {
		if r.Kind != kindTable || (seen.Name != "" && r.Name != table) {
			continue
		}
		offered := splitColumns(r.Properties[propColumns])
		table = r.Name
		columns = slices.DeleteFunc(focusColumns(), func(c string) bool { return !slices.Contains(offered, c) })
	}
	return map[string]string{
		propTable: table, propColumns: strings.Join(columns, ", "), propGranularity: granularityDaily, propFormat: "PARQUET", propMode: "OVERWRITE_REPORT",
		propTarget: target(pl.n.Bucket, filesPrefix, pl.n.Region), propStatus: statusHealthy,
	}
}

// costColumns are an export's columns with those back that somebody took out of its query and that charges cannot do
// without. Others that are missing show when the table is looked at.
func costColumns(columns []string) []string {
	need := neededColumns(formatFocus12)
	if len(lacking(need, columns)) == 0 {
		return columns
	}
	out := slices.DeleteFunc(focusColumns(), func(c string) bool { return !slices.Contains(columns, c) && !slices.Contains(need, c) })
	return append(out, lacking(columns, out)...)
}

func focusVersion(table string) string {
	if table == tableFocus10 {
		return "1.0"
	}
	return "1.2"
}

// focusColumns are the columns of FOCUS_1_2_AWS (clouds.md §2.10).
func focusColumns() []string {
	return strings.Fields(`AvailabilityZone BilledCost BillingAccountId BillingAccountName BillingAccountType BillingCurrency BillingPeriodEnd
		BillingPeriodStart CapacityReservationId CapacityReservationStatus ChargeCategory ChargeClass ChargeDescription ChargeFrequency ChargePeriodEnd
		ChargePeriodStart CommitmentDiscountCategory CommitmentDiscountId CommitmentDiscountName CommitmentDiscountQuantity CommitmentDiscountStatus
		CommitmentDiscountType CommitmentDiscountUnit ConsumedQuantity ConsumedUnit ContractedCost ContractedUnitPrice EffectiveCost InvoiceId
		InvoiceIssuerName ListCost ListUnitPrice PricingCategory PricingCurrency PricingCurrencyContractedUnitPrice PricingCurrencyEffectiveCost
		PricingCurrencyListUnitPrice PricingQuantity PricingUnit ProviderName PublisherName RegionId RegionName ResourceId ResourceName ResourceType
		ServiceCategory ServiceName ServiceSubcategory SkuId SkuMeter SkuPriceDetails SkuPriceId SubAccountId SubAccountName SubAccountType Tags
		x_Discounts x_Operation x_ServiceCode`)
}
