package google

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"regexp"
	"strconv"
	"strings"
	"time"

	"outlay"
)

const datasetPrefix = "outlay_"

// The ownership labels (clouds.md §1.3, architecture.md ruling 4). Keys and values keep to what a label may be: our ids
// are lower-case letters, digits, '_' and '-'.
const (
	labelManaged      = "managed-by"
	labelInstallation = "outlay-installation-id"
	labelOrganization = "outlay-organization-id"
	labelSource       = "outlay-source-id"
	labelOperation    = "outlay-operation-id"
	managedBy         = "outlay"
)

// writer is the account through which Google writes billing exports. It appears in the dataset's access list when a
// person turns the export on (clouds.md §4.5).
const writer = "billing-export-bigquery@system.gserviceaccount.com"

// unguessable is 12 characters that follow from the naming key, the source and the kind, and from nothing else
// (reliability.md §3.1 rule 2).
func (p *Provider) unguessable(s *outlay.Source, kind outlay.ResourceKind) string {
	mac := hmac.New(sha256.New, p.opts.NamingKey)
	mac.Write([]byte(s.OrgID + "\x00" + s.ID + "\x00" + string(kind)))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil)))[:12]
}

// names are the final names of a source's resources.
type names struct {
	Project, Location, Dataset string
	Billing                    string // XXXXXX-XXXXXX-XXXXXX, "" while unknown
	Export                     exportKind
	Table                      string // what Google calls the table of the export, in whatever dataset
}

// namesOf takes the names from the ledger, else from what was asked for, else from the naming key.
func (p *Provider) namesOf(s *outlay.Source, id outlay.Identity) names {
	n := names{Project: id.AccountID, Billing: id.Scope.ID, Export: exportDetailed, Dataset: datasetPrefix + p.unguessable(s, kindDataset)}
	if s.Spec != nil {
		n.Location = s.Spec.Region
		n.Project = orElse(s.Spec.Fields[fieldProject], n.Project)
		n.Export = exportKind(orElse(s.Spec.Fields[fieldExport], string(n.Export)))
	}
	if row, ok := ledgerRow(s, kindDataset); ok {
		n.Dataset = row.Name
		n.Location = orElse(row.Properties[propLocation], n.Location)
		n.Project = orElse(orElse(row.Properties[propProject], projectOf(row.ProviderID)), n.Project)
	}
	if row, ok := ledgerRow(s, kindTable); ok && s.Spec == nil {
		n.Export = orElse(kindOfTable(row.Name), n.Export)
	}
	if row, ok := ledgerRow(s, kindTable); ok && n.Billing == "" {
		_, n.Billing = readTableName(row.Name)
	}
	n.Table = n.Export.table(n.Billing)
	return n
}

// datasetID is the immutable id of a dataset: its name alone could belong to another one tomorrow.
func datasetID(project, dataset string, created time.Time) string {
	return "projects/" + project + "/datasets/" + dataset + "@" + strconv.FormatInt(created.UnixMilli(), 10)
}

func projectOf(providerID string) string {
	rest, ok := strings.CutPrefix(providerID, "projects/")
	project, _, found := strings.Cut(rest, "/")
	if !ok || !found {
		return ""
	}
	return project
}

// exportKind is which of Google's exports is read.
type exportKind string

const (
	exportDetailed exportKind = "detailed"
	exportStandard exportKind = "standard"
	exportFocus    exportKind = "focus"
)

// title is what Google's console calls it.
func (k exportKind) title() string {
	switch k {
	case exportStandard:
		return "Standard usage cost"
	case exportFocus:
		return "FOCUS"
	}
	return "Detailed usage cost"
}

// table is the name of its table for a billing account.
func (k exportKind) table(billing string) string {
	suffix := strings.ReplaceAll(billing, "-", "_")
	switch k {
	case exportStandard:
		return "gcp_billing_export_v1_" + suffix
	case exportFocus:
		return "gcp_billing_export_focus_" + suffix
	}
	return "gcp_billing_export_resource_v1_" + suffix
}

var (
	tableText   = regexp.MustCompile(`^gcp_billing_export_(focus_(?:v1_)?|resource_v1_|v1_)([0-9A-F]{6}_[0-9A-F]{6}_[0-9A-F]{6})$`)
	linkedText  = regexp.MustCompile(`^gcp_billing_immutable_([0-9A-F]{6}_[0-9A-F]{6}_[0-9A-F]{6})_[a-z0-9_]+$`)
	billingText = regexp.MustCompile(`^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$`)
	datasetText = regexp.MustCompile(`^[A-Za-z0-9_]+$`)
)

// kindOfTable is the export that a table's name says it is; "" for any other table.
func kindOfTable(table string) exportKind {
	k, _ := readTableName(table)
	return k
}

// readTableName takes the name of an export's table apart (clouds.md §4.5).
func readTableName(table string) (kind exportKind, billing string) {
	m := tableText.FindStringSubmatch(table)
	if m == nil {
		return "", ""
	}
	billing = strings.ReplaceAll(m[2], "_", "-")
	switch m[1] {
	case "resource_v1_":
		return exportDetailed, billing
	case "v1_":
		return exportStandard, billing
	}
	return exportFocus, billing
}

// besides lists other tables that Google's exports write into a dataset (clouds.md §4.2).
func besides(table string) bool {
	return table == "cloud_pricing_export" || table == "cud_subscriptions_export"
}

// ledgerRow is the source's row of a kind that still stands for something: not merely planned, not deleted.
func ledgerRow(s *outlay.Source, kind outlay.ResourceKind) (outlay.Resource, bool) {
	if s == nil {
		return outlay.Resource{}, false
	}
	for _, r := range s.Resources {
		if r.Kind == kind && r.State != outlay.StatePlanned && r.State != outlay.StateDeleted {
			return r, true
		}
	}
	return outlay.Resource{}, false
}

// ourLabels are the marks that a dataset is born with.
func (p *Provider) ourLabels(s *outlay.Source, operation string) map[string]string {
	labels := map[string]string{
		labelManaged: managedBy, labelInstallation: p.opts.InstallationID, labelOrganization: s.OrgID, labelSource: s.ID,
	}
	if operation != "" {
		labels[labelOperation] = operation
	}
	return labels
}

// marks keeps the labels that say whose a dataset is.
func marks(labels map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range labels {
		if k == labelManaged || strings.HasPrefix(k, "outlay-") {
			out[k] = v
		}
	}
	return out
}

// ours tells whether a live dataset carries the marks of this installation and source.
func (p *Provider) ours(s *outlay.Source, owner map[string]string) bool {
	for k, v := range p.ourLabels(s, "") {
		if owner[k] != v {
			return false
		}
	}
	return true
}

func orElse[T ~string](s, otherwise T) T {
	if s == "" {
		return otherwise
	}
	return s
}
