package outlay

import (
	"context"
	"iter"
	"strconv"
	"time"
)

// Provider is one cloud's side: its verbs, its name, what a form must ask, and how it spells labels.
type Provider interface {
	Name() ProviderName
	// About describes the provider for pages, API and CLI. It is constant.
	About() ProviderInfo
	// Labels spells tags, by one of the nine keys, as this provider accepts them on a resource, in the order of
	// TagKeys. It does no I/O. A value that cannot be spelled at all is CodeInvalid in the field of its key.
	Labels(tags map[string]string) ([]Label, error)
	Provisioner
	Exporter
}

// Provisioner brings resources to a plan.
type Provisioner interface {
	// Observe reports what exists now, as far as look asks. It changes nothing. A part that could not be read is named
	// in Observation.Unknown; the error is for a look that found out nothing at all.
	Observe(ctx context.Context, a *CloudAccount, s *Source, look Look) (Observation, error)
	// Plan lists the changes from seen to what s asks for; with s.Spec nil, to nothing. It does no I/O.
	Plan(s *Source, seen Observation) (Plan, error)
	// Apply makes one change. Applying a change twice is the same as once. Failures are *Error with Outcome set.
	Apply(ctx context.Context, a *CloudAccount, s *Source, c Change) (Resource, error)
}

// Exporter reads what the provider delivers.
type Exporter interface {
	// Deliveries yields each period's current delivery with its change token. It reads no cost rows.
	Deliveries(ctx context.Context, a *CloudAccount, s *Source) iter.Seq2[Delivery, error]
	// Fetch puts a delivery's files into dir (named 0, 1, 2 … plus the format's ending) and verifies sizes, checksums
	// and that nothing moved meanwhile. On CodeConflict the delivery changed: start again with a fresh one.
	Fetch(ctx context.Context, a *CloudAccount, s *Source, d Delivery, dir string) ([]string, error)
	// Mapping returns how rows of a format become FOCUS rows; CodeInvalid for an unknown format.
	Mapping(format string) (Mapping, error)
	// Existing lists the exports that stand already and that this credential can see, ours included. fields are the
	// values of ProviderInfo.ImportFields. An imported source reads one of them: it is never changed, never destroyed.
	Existing(ctx context.Context, a *CloudAccount, fields map[string]string) ([]Existing, error)
}

// Existing is an export that stands already in a provider. A source of origin imported reads it: its Spec.Fields are
// Fields, and Plan, Deliveries and Fetch go by them.
type Existing struct {
	ID     string `json:"id"`     // the provider's own id: an ARN, a resource id, a table
	Name   string `json:"name"`   // as people call it
	Title  string `json:"title"`  // what it is: "Cost and Usage Report"
	Detail string `json:"detail"` // where its files or rows are
	Format string `json:"format"` // names the Mapping
	Region string `json:"region,omitempty"`
	// Scope is who is invoiced by it; the zero value is the account's own scope.
	Scope  BillingScope      `json:"scope,omitzero"`
	Fields map[string]string `json:"fields"`
	// Ours is the id of the source whose export it is by its marks; "" for somebody else's.
	Ours string `json:"ours,omitempty"`
	// Why says why it cannot be imported, and what to do; "" when it can.
	Why string `json:"why,omitempty"`
}

// ProviderInfo is what pages, API and CLI say about a provider.
type ProviderInfo struct {
	Name  ProviderName
	Title string // "AWS"
	// InCharges is what charges call the provider where they do not use Title ("Microsoft"); else "".
	InCharges string
	Account   string // what an account id is called: "Account ID"
	// Follow says who picks the data up: "account", plural "accounts".
	Series          int // chart colour of the provider, 0…8
	CredentialKinds []CredentialKind
	Regions         []Region
	RegionHint      string
	RegionLink      Link            // the provider's own page about its regions
	Fields          []ProviderField // further fields of the provision form
	TagsHint        string          // beside the wish to turn the nine tags on; "" where there is nothing to turn on
	TagsLink        Link            // the provider's own page about the permissions that turning tags on takes
	FirstData       string          // "First costs appear within 24 hours."
	LateAfter       time.Duration   // StaleAfter where it is not the usual
	Running         string          // what the infrastructure costs
	// Words of the deprovision page: for delete, keep and the tags that are left alone.
	DeleteFiles, KeepFiles, LeftAlone string
	// ImportFields are asked for before existing exports can be listed; often none.
	ImportFields []ProviderField
	// FileFormats are the bills of this provider that people bring as files, the more special ones first.
	FileFormats []FileFormat
	// Reader is the least policy that watching and reading need once billing is provisioned, with {field} where a value
	// goes; "" where there is none to paste. A page may show it beside a plan that is done.
	Reader string
	// ReadPrice says what the provider asks for reading, as a decimal of ReadCurrency per TiB ("6.25"); "" when reading
	// is free or part of the storage.
	ReadPrice, ReadCurrency string
	// Tags says how tags reach charges; the zero value means by themselves.
	Tags TagsInfo
}

// StaleAfter is the age of the newest delivery from which somebody should look why nothing comes (clouds.md §10).
func (p ProviderInfo) StaleAfter() time.Duration {
	if p.LateAfter > 0 {
		return p.LateAfter
	}
	return 36 * time.Hour
}

// TagsInfo is what the Tags page says about a provider.
type TagsInfo struct {
	// Timing says when a tag is in the charges, and what becomes of the past.
	Timing string
	// Link leads to the provider's own page about it.
	Link Link
	// Manual is how to turn a key on by hand; nil where keys need no turning on. {key} in it stands for the keys.
	Manual *Instruction
	// Backfill says what writing today's tags into past months does and costs; "" where the provider cannot.
	Backfill string
	// Option is the ProviderField, of Fields, that changes how tags reach charges, such as inheritance; OptionKind is
	// the resource that stands for it. Both are "" for none.
	Option     string
	OptionKind ResourceKind
}

// FileFormat is a kind of bill in files, known by its columns.
type FileFormat struct {
	Format string // names the Mapping
	Title  string // "Azure actual cost (Enterprise Agreement)"
	// Columns all occur, in any letter case, in files of this format.
	Columns []string
	// Name, when not empty, is a regular expression that the file's name matches where columns alone do not tell.
	Name string
	// Together, when not empty, names the format of an import that holds files of this format and of others that name
	// the same: two halves of one bill.
	Together string
}

// Region is a place where infrastructure can be put.
type Region struct{ ID, Title string }

// CredentialKind is one way to sign in.
type CredentialKind struct {
	Kind, Title, Hint string
	Warning           string // shown wherever this kind is used; empty for the recommended one
	Fields            []ProviderField
	// Setup is what the provider's side needs, such as a trust policy, with {field} where a value goes; may be empty.
	Setup string
}

// ProviderField is one field of a form. Secret fields are sealed on arrival and never come out again.
type ProviderField struct {
	Name, Title, Hint string
	Secret, Optional  bool
	Generated         bool // made by Outlay when the account is added: 32 random bytes as base64url; never editable
	Default           string
	// Pattern is a regular expression that a whole value matches; empty for anything. Hint says the same for people.
	Pattern string
	Options []Region // a closed choice; ID is the value
	Link    Link     // the provider's own page about it; the zero value for none
}

// Link leads to a page of a provider's documentation. URL is absolute and https; the zero value is no link.
type Link struct {
	Title string `json:"title"` // what the page is about and whose it is: "Regions in the Nimbus documentation"
	URL   string `json:"url"`
}

// Look says how much an Observe must find out. Paid and slow reads happen only when asked for.
type Look struct {
	Permissions bool           // simulate what the credential may do
	Members     bool           // list the scope's member accounts
	Contents    bool           // count and size what would be deleted
	Kinds       []ResourceKind // limits the resources to these kinds; nil means all but tags
	Tags        bool           // cost allocation tags (paid calls on some providers)
}

// Wants tells whether a look asks for a kind of resource.
func (l Look) Wants(kind ResourceKind) bool {
	if l.Kinds == nil {
		return true
	}
	for _, k := range l.Kinds {
		if k == kind {
			return true
		}
	}
	return false
}

// Delivery is one whole version of one period, as the provider describes it.
type Delivery struct {
	Period Period `json:"period"`
	// Version orders two deliveries of a period by the provider's own time (AWS manifest LastModified).
	Version time.Time `json:"version"`
	// Token changes whenever anything changed; it is compared for equality only.
	Token  string         `json:"token"`
	ID     string         `json:"id"`     // execution or run id, identity only
	Format string         `json:"format"` // names the Mapping
	Files  []DeliveryFile `json:"files"`
	// Rows is the provider's own row count; −1 when it gives none.
	Rows int64 `json:"rows"`
	// Ref is what Fetch needs again, such as the manifest's key and ETag. Where only the fetched manifest tells which files
	// there are, Fetch adds under RefFile what the provider calls each of them, so that messages can name it.
	Ref map[string]string `json:"ref,omitempty"`
}

// RefFile is the entry of Delivery.Ref with the provider's name of the file that Fetch stored as number i.
func RefFile(i int) string { return "file " + strconv.Itoa(i) }

// DeliveryFile is one file of a delivery.
type DeliveryFile struct {
	Key  string `json:"key"`
	ETag string `json:"etag"`
	Size int64  `json:"size"`
}

// Mapping turns rows of a format into FOCUS rows.
type Mapping struct {
	// SQL is one SELECT over the view raw (every column of the files, plus every FOCUS column that they lack as NULL
	// VARCHAR). It yields the columns of Columns() by name, in any order; what it leaves out becomes NULL.
	// Tags is MAP(VARCHAR, VARCHAR) with keys as delivered.
	SQL string
	// TagPrefixes are what the provider puts before a person's keys ("user:", "user_"). They are stripped once, and
	// only when every key of the period that is not the provider's own carries one.
	TagPrefixes []string
	// ProviderTagPrefixes mark the provider's own keys ("aws:", "aws_"): kept, never one of the nine.
	ProviderTagPrefixes []string
	// FileNames gives raw a column x_FileName: the name, without folders, of the file that a row is from. For bills whose
	// rows do not say what they are.
	FileNames bool `json:",omitempty"`
}
