package azure

import (
	"context"
	"regexp"
	"strings"

	"outlay"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/costmanagement/armcostmanagement/v3"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/storage/armstorage/v2"
)

// Existing lists the cost exports of a scope: that of the fields, else the account's subscription. Those that cannot be
// read say why. An export of actual costs beside one of amortized costs is offered as a pair too, first.
func (p *Provider) Existing(ctx context.Context, a *outlay.CloudAccount, fields map[string]string) ([]outlay.Existing, error) {
	ses, err := p.session(a)
	if err != nil {
		return nil, err
	}
	id, err := p.whoami(ctx, ses, a, nil)
	if err != nil {
		return nil, err
	}
	scope, err := parseScope(orElse(fields[fieldScope], scopeSubscription), fields[fieldScopeID], id.AccountID)
	if err != nil {
		return nil, err
	}
	client, err := ses.exports()
	if err != nil {
		return nil, err
	}
	list, err := client.List(ctx, scope.ID, nil)
	if err != nil {
		return nil, failure(err, exportCall(actExportRead, scope.ID, "listing the exports"))
	}
	f := finder{p: p, ses: ses, a: a, scope: scope, readable: map[string]string{}, urls: map[string]string{}}
	var out []outlay.Existing
	for _, e := range list.Value {
		if e == nil || text(e.Name) == "" {
			continue
		}
		x, err := f.existing(ctx, *e)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return append(pairsOf(out), out...), nil
}

// finder looks at the exports of one scope.
type finder struct {
	p        *Provider
	ses      session
	a        *outlay.CloudAccount
	scope    outlay.BillingScope
	readable map[string]string // what was found out about a folder: "" when it can be read, else why not
	urls     map[string]string // blob endpoints by storage account
}

// existing is one export as a person sees it, and as an import remembers it.
func (f finder) existing(ctx context.Context, e armcostmanagement.Export) (outlay.Existing, error) {
	r := exportResource(e, f.p.opts.Clock.Now())
	name := text(e.Name)
	x := outlay.Existing{
		ID: exportID(f.scope.ID, name), Name: name, Title: titleOfDataset(r.Properties[propDataset], r.Properties[propVersion]), Format: formatOf(r.Properties[propDataset]), Scope: f.scope,
		Fields: map[string]string{importScope: f.scope.ID, importExport: name, importDataset: r.Properties[propDataset]},
	}
	if r.Owner[tagManaged] == managedBy && r.Owner[tagInstallation] == f.p.opts.InstallationID {
		x.Ours = r.Owner[tagSource]
	}
	to := destination(e)
	if to != nil {
		x.Fields[importStorage], x.Fields[importContainer] = text(to.ResourceID), text(to.Container)
		x.Fields[importRoot] = strings.Trim(text(to.RootFolderPath), "/")
	}
	if r.Properties[propSplit] != splitYes {
		x.Fields[importSingle] = choiceYes
	}
	x.Detail = strings.Join([]string{orElse(r.Properties[propTarget], "no destination"), strings.ToLower(r.Properties[propSchedule]), fileText(r), modeText(r)}, " · ")
	if x.Why = refusal(e, r, x); x.Why != "" {
		return x, nil
	}
	var err error
	x.Fields[importURL] = f.url(ctx, x.Fields[importStorage])
	x.Why, err = f.reads(ctx, x)
	return x, err
}

func destination(e armcostmanagement.Export) *armcostmanagement.ExportDeliveryDestination {
	if e.Properties == nil || e.Properties.DeliveryInfo == nil {
		return nil
	}
	return e.Properties.DeliveryInfo.Destination
}

func titleOfDataset(dataset, version string) string {
	switch formatOf(dataset) {
	case formatFocus:
		return strings.TrimSpace("FOCUS cost export " + version)
	case formatActual:
		return "Actual cost export"
	case formatAmortized:
		return "Amortized cost export"
	case formatUsage:
		return "Usage export"
	}
	return "Export of " + clip(orElse(dataset, "something unknown"), 60)
}

func fileText(r outlay.Resource) string {
	format, pack := orElse(r.Properties[propFormat], "Csv"), r.Properties[propPack]
	if pack == "" || pack == "none" {
		return format
	}
	return format + ", " + pack
}

func modeText(r outlay.Resource) string {
	switch {
	case r.Properties[propSplit] != splitYes:
		return "one file a run, of the months whose runs Azure remembers"
	case r.Properties[propMode] == string(armcostmanagement.DataOverwriteBehaviorTypeCreateNewReport):
		return "each run in a folder of its own"
	}
	return "overwritten by each run"
}

// refusal tells why an export's files are nothing that can be read as charges, before anything of them is looked at.
func refusal(e armcostmanagement.Export, r outlay.Resource, x outlay.Existing) string {
	to := destination(e)
	switch {
	case x.Format == "":
		return "It holds no charges. Outlay reads exports of FOCUS, actual cost, amortized cost and usage."
	case x.Format == formatFocus && strings.HasPrefix(r.Properties[propVersion], earlyFocus):
		return "It holds FOCUS 1.0-preview, which lacks the contracted cost. Outlay reads 1.0, 1.0r2 and 1.2-preview: set up an export of one of them, then look again."
	case to == nil || to.Type != nil && *to.Type != armcostmanagement.DestinationTypeAzureBlob:
		return "It does not deliver to a storage account's blobs."
	case x.Fields[importStorage] == "" || x.Fields[importContainer] == "":
		return "It does not say where it delivers."
	case unevenTimeframe(e, x.Scope.ID):
		return "Its runs are not by calendar month. Outlay reads exports of the month to date, or of the last month."
	}
	return ""
}

// earlyFocus begins the version of FOCUS before its first release.
const earlyFocus = "1.0-preview"

// unevenTimeframe tells whether a run may hold other than one calendar month. The billing months of enrolments and
// billing profiles are calendar months; those of a subscription that pays for itself need not be.
func unevenTimeframe(e armcostmanagement.Export, scope string) bool {
	if e.Properties.Definition == nil || e.Properties.Definition.Timeframe == nil {
		return false
	}
	switch *e.Properties.Definition.Timeframe {
	case armcostmanagement.TimeframeTypeMonthToDate, armcostmanagement.TimeframeTypeTheLastMonth, armcostmanagement.TimeframeTypeTheCurrentMonth:
		return false
	case armcostmanagement.TimeframeTypeBillingMonthToDate, armcostmanagement.TimeframeTypeTheLastBillingMonth:
		return !isBillingScope(scope)
	}
	return true
}

var storageParts = regexp.MustCompile(`(?i)^/?subscriptions/([0-9a-f-]{36})/resourceGroups/([^/]+)/providers/Microsoft\.Storage/storageAccounts/([a-z0-9]{3,24})$`)

// url is the blob endpoint of a storage account as Azure gives it, else the usual one: reading an export does not need
// the right to look at the storage account itself.
func (f finder) url(ctx context.Context, storageID string) string {
	m := storageParts.FindStringSubmatch(storageID)
	if m == nil {
		return f.p.accountURL(lastSegment(storageID))
	}
	if known, ok := f.urls[storageID]; ok {
		return known
	}
	out := f.p.accountURL(strings.ToLower(m[3]))
	if client, err := armstorage.NewAccountsClient(m[1], f.ses.cred, &f.ses.opts); err == nil {
		got, err := client.GetProperties(ctx, m[2], m[3], nil)
		if err == nil && got.Properties != nil && got.Properties.PrimaryEndpoints != nil {
			out = orElse(text(got.Properties.PrimaryEndpoints.Blob), out)
		}
	}
	f.urls[storageID] = out
	return out
}

// reads tells why an export's folder cannot be listed, "" when it can.
func (f finder) reads(ctx context.Context, x outlay.Existing) (string, error) {
	at, err := f.p.importedPlace(&outlay.Source{Origin: outlay.OriginImported, Scope: f.scope, Spec: &outlay.Spec{Fields: x.Fields}})
	if err != nil {
		return "", err
	}
	folder := at.AccountURL + at.Container
	if why, known := f.readable[folder]; known {
		return why, nil
	}
	r, err := f.p.reader(ctx, f.a, at)
	if err == nil {
		err = r.list(ctx, at.Exports[0].prefix(), 1, func(blobState) {})
	}
	account := lastSegment(at.StorageID)
	why := ""
	switch e := outlay.AsError(err); {
	case err == nil:
	case isRefusal(err):
		why = "This credential may not read the storage account " + account + ". Give it the role Storage Blob Data Reader there, then look again."
	case e.Code == outlay.CodeNotFound:
		why = "Its container " + at.Container + " in the storage account " + account + " does not exist. Nothing is delivered any more."
	case e.Code == outlay.CodeUnavailable && ctx.Err() == nil:
		why = "Its storage account " + account + " does not answer. It may be deleted, or reached from a private network only. Check it in the Azure portal, then look again."
	case e.Code == outlay.CodeInvalid || e.Code == outlay.CodeForbidden:
		why = strings.TrimSpace("Its storage account " + account + " cannot be read: " + e.Message + ". " + e.Fix)
	default:
		return "", err
	}
	f.readable[folder] = why
	return why, nil
}

// pairsOf joins each export of actual costs with each of amortized costs in the same container: together they tell
// what neither tells alone (docs/decisions/0007).
func pairsOf(list []outlay.Existing) []outlay.Existing {
	var out []outlay.Existing
	for _, a := range list {
		for _, b := range list {
			if a.Format != formatActual || b.Format != formatAmortized || a.Why != "" || b.Why != "" || a.Ours != "" || b.Ours != "" ||
				!strings.EqualFold(a.Fields[importStorage], b.Fields[importStorage]) || a.Fields[importContainer] != b.Fields[importContainer] {
				continue
			}
			x := a
			x.ID, x.Name = a.ID+"+"+b.Name, a.Name+" and "+b.Name
			x.Title, x.Format = "Actual and amortized cost exports", formatPair
			x.Fields = map[string]string{importAmortized: b.Name, importRoot2: b.Fields[importRoot]}
			if single := b.Fields[importSingle]; single != "" {
				x.Fields[importSingle2] = single
			}
			for k, v := range a.Fields {
				x.Fields[k] = v
			}
			out = append(out, x)
		}
	}
	return out
}
