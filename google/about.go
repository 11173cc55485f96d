package google

import (
	"strings"
	"time"

	"outlay"
)

// The fields of the provision form, and of an import.
const (
	fieldProject = "project"
	fieldExport  = "export"
	fieldCap     = "read_cap_gib"
	fieldFast    = "fast_reads"
	fieldDataset = "dataset" // of an import
	fieldTable   = "table"   // of an import

	yes        = "yes"
	defaultCap = "100"
)

// About describes Google Cloud for pages, API and command line.
func (p *Provider) About() outlay.ProviderInfo {
	kinds := []outlay.CredentialKind{aboutFederated()}
	if p.opts.AttachedIdentity {
		kinds = append(kinds, aboutAttached())
	}
	return outlay.ProviderInfo{
		Name: Name, Title: "Google Cloud", Account: "Project ID", Series: 2,
		CredentialKinds: append(kinds, aboutKey()),
		Regions:         regions(),
		RegionHint:      "Where the dataset lies. It cannot change later. With US or EU Google fills in the last month by itself; with any other region history begins on the day when the export is turned on.",
		RegionLink:      outlay.Link{Title: "Locations in the Google Cloud documentation", URL: "https://cloud.google.com/bigquery/docs/locations"},
		Fields:          specFields(),
		LateAfter:       48 * time.Hour,
		FirstData:       "First costs appear some hours after the export was turned on; filling in the last month takes Google up to five days, oldest day first.",
		Running:         "The dataset is yours: cents a month of BigQuery storage. Each reading is a BigQuery query, at $6.25 per TiB read, of which Google gives 1 TiB a month free; Outlay reads a month only when it changed, and never more than the cap.",
		DeleteFiles:     "Cannot be undone: Google fills in the last month again at most.",
		KeepFiles:       "Outlay's access and its labels are removed. Google goes on writing until you turn the export off in the console.",
		LeftAlone:       "The services stay on, since other things may use them. A FOCUS export's dataset is Google's and stays.",
		ImportFields:    []outlay.ProviderField{projectField("Project that holds the export's dataset.", "")},
		FileFormats:     fileFormats(),
		ReadPrice:       "6.25", ReadCurrency: "USD",
		Tags: outlay.TagsInfo{
			Timing: "Labels are in the charges from the moment a resource carries them. The past stays as it was; labels of a project count for all that is in it.",
			Link:   outlay.Link{Title: "Labels in the Google Cloud documentation", URL: "https://cloud.google.com/resource-manager/docs/labels-overview"},
		},
		Reader: readerText("{" + fieldProject + "}"),
	}
}

func projectField(hint, def string) outlay.ProviderField {
	return outlay.ProviderField{Name: fieldProject, Title: "Project ID", Hint: hint, Optional: true, Default: def, Pattern: `([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]`}
}

func specFields() []outlay.ProviderField {
	return []outlay.ProviderField{
		projectField("The project that the dataset is made in and that pays for the queries. Empty is the account's own project.", ""),
		{
			Name: fieldExport, Title: "Export", Default: string(exportDetailed), Optional: true,
			Hint:    "Detailed has a line per resource. FOCUS is in preview, keeps two years, and lies in a dataset that Google makes and owns. Only one of them is read, so nothing counts twice.",
			Link:    outlay.Link{Title: "Billing exports in the Google Cloud documentation", URL: "https://cloud.google.com/billing/docs/how-to/export-data-bigquery-setup"},
			Options: []outlay.Region{{ID: string(exportDetailed), Title: "Detailed usage cost"}, {ID: string(exportFocus), Title: "FOCUS (preview)"}, {ID: string(exportStandard), Title: "Standard usage cost"}},
		},
		{
			Name: fieldCap, Title: "Read cap", Default: defaultCap, Optional: true, Pattern: `[1-9][0-9]{0,4}`,
			Hint: "GiB that one query may read at most; what is larger is refused before it costs anything. 100 GiB are about $0.61.",
		},
		{
			Name: fieldFast, Title: "Fast reads", Default: "no", Optional: true,
			Hint:    "Read results through the BigQuery Storage Read API: faster for millions of rows. It needs bigquery.readsessions.create and bigquery.readsessions.getData.",
			Options: []outlay.Region{{ID: "no", Title: "No"}, {ID: yes, Title: "Yes"}},
		},
	}
}

func credentialProject() outlay.ProviderField {
	f := projectField("The project that this account stands for, by its ID, not by its name or number.", "")
	f.Name, f.Optional = fieldProjectID, false
	return f
}

const servicesOn = "The project needs these two services on before Outlay can look at it; the others it turns on itself:\n\n" +
	"gcloud services enable cloudresourcemanager.googleapis.com cloudbilling.googleapis.com --project={" + fieldProjectID + "}\n\n"

func setup() string {
	return servicesOn + "Custom role for the service account on the project (gcloud iam roles create outlayBilling --project={" + fieldProjectID + "} --file=role.yaml):\n\n" + roleYAML(projectPermissions()) +
		"\nOn the billing account, so that Outlay knows which projects it pays for: " + strings.Join(billingPermissions(), ", ") + " (the role Billing Account Viewer has both).\n" +
		"\nOnce billing is provisioned, this is enough to watch and to read:\n\n" + readerText("{"+fieldProjectID+"}")
}

func readerText(project string) string {
	return "On the dataset: roles/bigquery.dataViewer.\nOn the project " + project + ": roles/bigquery.jobUser, and roles/browser for the look at the project."
}

func aboutFederated() outlay.CredentialKind {
	return outlay.CredentialKind{
		Kind: credFederated, Title: "Workload identity federation", Hint: "This server shows a token of your own identity provider and acts as a service account. No key is stored.",
		Fields: []outlay.ProviderField{
			credentialProject(),
			{Name: fieldAudience, Title: "Identity provider", Hint: "The full name of the workload identity pool's provider: //iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/POOL/providers/PROVIDER", Pattern: strings.Trim(audienceText.String(), "^$")},
			{Name: fieldEmail, Title: "Service account", Hint: "The e-mail address of the service account to act as. Give the pool's subject the role Workload Identity User on it.", Pattern: strings.Trim(emailText.String(), "^$")},
			{Name: fieldTokenFile, Title: "Token file", Hint: "The file's name within the folder for tokens that this server's operator chose."},
		},
		Setup: setup(),
	}
}

func aboutAttached() outlay.CredentialKind {
	return outlay.CredentialKind{
		Kind: credAttached, Title: "Attached service account", Hint: "The service account that Google attached to this server. No key is stored.",
		Fields: []outlay.ProviderField{credentialProject()}, Setup: setup(),
	}
}

func aboutKey() outlay.CredentialKind {
	return outlay.CredentialKind{
		Kind: credKey, Title: "Service account key", Hint: "The JSON file of a service account's key.",
		Warning: "A key works until somebody deletes it, from anywhere, and many organizations forbid keys. Workload identity federation is safer; rotate this key at least every 90 days.",
		Fields:  []outlay.ProviderField{credentialProject(), {Name: fieldKeyJSON, Title: "Key file", Hint: "The whole text of the JSON file. Only the e-mail address and the key are taken from it.", Secret: true}},
		Setup:   setup(),
	}
}

// isMultiRegion tells the two places where Google fills in the last month (clouds.md §4.3).
func isMultiRegion(location string) bool { return location == "US" || location == "EU" }

func regions() []outlay.Region {
	out := []outlay.Region{{ID: "US", Title: "US · multi-region (recommended)"}, {ID: "EU", Title: "EU · multi-region (recommended)"}}
	for _, r := range [][2]string{
		{"us-central1", "Iowa"}, {"us-east1", "South Carolina"}, {"us-east4", "N. Virginia"}, {"us-west1", "Oregon"}, {"northamerica-northeast1", "Montréal"},
		{"southamerica-east1", "São Paulo"}, {"europe-west1", "Belgium"}, {"europe-west2", "London"}, {"europe-west3", "Frankfurt"}, {"europe-west4", "Netherlands"},
		{"europe-west6", "Zürich"}, {"europe-west9", "Paris"}, {"europe-north1", "Finland"}, {"europe-central2", "Warsaw"}, {"me-west1", "Tel Aviv"},
		{"africa-south1", "Johannesburg"}, {"asia-south1", "Mumbai"}, {"asia-southeast1", "Singapore"}, {"asia-east1", "Taiwan"}, {"asia-east2", "Hong Kong"},
		{"asia-northeast1", "Tokyo"}, {"asia-northeast3", "Seoul"}, {"australia-southeast1", "Sydney"},
	} {
		out = append(out, outlay.Region{ID: r[0], Title: r[0] + " · " + r[1]})
	}
	return out
}

func knownRegion(id string) bool {
	for _, r := range regions() {
		if r.ID == id {
			return true
		}
	}
	return false
}
