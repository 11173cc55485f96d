package azure

import (
	"regexp"
	"strings"

	"outlay"
)

// The fields of an imported source: where its export delivers. Existing fills them, place reads them.
const (
	importScope     = "export_scope"     // ARM scope without a slash at its beginning
	importExport    = "export"           // the export's name
	importAmortized = "export_amortized" // name of a second export with amortized costs; may be missing
	importDataset   = "export_type"      // FocusCost, ActualCost, AmortizedCost or Usage
	importStorage   = "storage_id"       // resource id of the storage account
	importURL       = "blob_url"         // the storage account's blob endpoint; "" for the usual one
	importContainer = "container"
	importRoot      = "root_folder"
	importRoot2     = "root_folder_amortized"
	importSingle    = "single_file" // choiceYes for an export that writes one file a run, without a manifest; else missing
	importSingle2   = "single_file_amortized"
)

// place is where the deliveries of a source are.
type place struct {
	Scope      string        // whose costs: an ARM scope without a slash at its beginning
	StorageID  string        // resource id of the storage account
	AccountURL string        // its blob endpoint, with a slash at its end
	Container  string        // from the ledger or the import, never from a manifest (architecture.md ruling 8)
	Exports    []exportPlace // one, or actual before amortized
}

// plainPath is what names and ids of Azure are made of.
var plainPath = regexp.MustCompile(`^[\w().:/-]+$`)

// exportPlace is one export's folder in the container: {Root}/{Name}/….
type exportPlace struct {
	ID      string // resource id of the export; letter case does not count
	Name    string
	Dataset string // armcostmanagement.ExportType; "" when it is not known
	Root    string // without slashes around it; "" only for imported exports
	Single  bool   // it writes one file a run, without a manifest: its runs tell what was delivered
}

// place finds where deliveries of a created or imported source are. It makes no call.
func (p *Provider) place(s *outlay.Source) (place, error) {
	if s.Origin == outlay.OriginImported {
		return p.importedPlace(s)
	}
	account, ok := ledgerRow(s, kindAccount)
	container, there := ledgerRow(s, kindContainer)
	if !ok || !there {
		return place{}, outlay.Errorf(outlay.CodeNotFound, "Provision billing first.", "this set-up has no container for cost data yet")
	}
	out := place{StorageID: account.ProviderID, Container: container.Name, AccountURL: orElse(account.Properties[propBlobURL], p.accountURL(account.Name))}
	for _, row := range s.Resources {
		if row.Kind != kindExport || !stands(row) {
			continue
		}
		e := exportPlace{ID: row.ProviderID, Name: row.Name, Dataset: row.Properties[propDataset], Root: mainRoot}
		if strings.HasSuffix(row.Name, amortizedSuffix) {
			e.Root = amortizedRoot
			out.Exports = append(out.Exports, e)
		} else {
			out.Exports = append([]exportPlace{e}, out.Exports...)
		}
		out.Scope = orElse(scopeOfExport(row.ProviderID), out.Scope)
	}
	out.Scope = orElse(out.Scope, s.Scope.ID)
	if len(out.Exports) == 0 {
		return place{}, outlay.Errorf(outlay.CodeNotFound, "Provision billing first.", "this set-up has no export yet")
	}
	return out, nil
}

func (p *Provider) importedPlace(s *outlay.Source) (place, error) {
	if s.Spec == nil || s.Spec.Fields[importExport] == "" || s.Spec.Fields[importContainer] == "" || s.Spec.Fields[importStorage] == "" {
		return place{}, outlay.Errorf(outlay.CodeInvalid, "Import the export again.", "this import does not say which export it reads")
	}
	f := s.Spec.Fields
	for _, field := range []string{importScope, importExport, importAmortized, importStorage, importContainer} {
		if v := f[field]; v != "" && (!plainPath.MatchString(v) || strings.Contains(v, "..")) { // they become parts of addresses
			return place{}, outlay.Errorf(outlay.CodeInvalid, "Import the export again.", "%q does not name anything in Azure", clip(v, 120)).InField(field)
		}
	}
	out := place{
		Scope: orElse(f[importScope], s.Scope.ID), StorageID: f[importStorage], Container: f[importContainer],
		AccountURL: orElse(f[importURL], p.accountURL(lastSegment(f[importStorage]))),
	}
	out.Exports = []exportPlace{{ID: exportID(out.Scope, f[importExport]), Name: f[importExport], Dataset: f[importDataset], Root: strings.Trim(f[importRoot], "/"), Single: f[importSingle] == choiceYes}}
	if name := f[importAmortized]; name != "" {
		out.Exports = append(out.Exports, exportPlace{ID: exportID(out.Scope, name), Name: name, Dataset: typeAmortized, Root: strings.Trim(f[importRoot2], "/"), Single: f[importSingle2] == choiceYes})
	}
	return out, nil
}

// exportID is the resource id of an export.
func exportID(scope, name string) string {
	return "/" + strings.Trim(scope, "/") + "/providers/Microsoft.CostManagement/exports/" + name
}

func lastSegment(id string) string { return id[strings.LastIndex(id, "/")+1:] }

// accountURL is the usual blob endpoint of a storage account.
func (p *Provider) accountURL(account string) string {
	if p.opts.Endpoint != "" {
		return strings.TrimSuffix(p.opts.Endpoint, "/") + "/blob/" + account + "/"
	}
	return "https://" + account + ".blob.core.windows.net/"
}
