package azure

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"regexp"
	"sort"
	"strings"

	"outlay"
)

// What our names begin with, and the folders inside our own container, which bears the name of its storage account: so
// the engine knows that it goes with it.
const (
	ourPrefix = "outlay"
	// The folders of the container that are ours; never "", for they are what protects other data. One root for each
	// export (clouds.md §3.3 step 6).
	mainRoot      = "outlay"
	amortizedRoot = "outlay-amortized"
)

// The ownership marks (clouds.md §1.3, architecture.md ruling 4), as tags and, where there are none, as text.
const (
	tagManaged      = "managed-by"
	tagInstallation = "outlay-installation-id"
	tagOrganization = "outlay-organization-id"
	tagSource       = "outlay-source-id"
	tagOperation    = "outlay-operation-id"
	managedBy       = "outlay"
)

// unguessable is 12 characters that follow from the naming key, the source and the kind, and from nothing else: the
// same source finds its name again, and nobody outside can take it first (reliability.md §3.1 rule 2).
func (p *Provider) unguessable(s *outlay.Source, kind outlay.ResourceKind) string {
	mac := hmac.New(sha256.New, p.opts.NamingKey)
	mac.Write([]byte(s.OrgID + "\x00" + s.ID + "\x00" + string(kind)))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil)))[:12]
}

// names are the final names of a source's resources.
type names struct {
	Subscription, Region      string
	Scope                     string // whose costs: an ARM scope without a slash at its beginning
	Group, Account, Container string
	Export, Amortized         string
}

// namesOf takes the names from the ledger, else from what was asked for and the naming key.
func (p *Provider) namesOf(s *outlay.Source, id outlay.Identity) names {
	n := names{
		Subscription: id.AccountID, Scope: id.Scope.ID,
		Group:   ourPrefix + "-" + p.unguessable(s, kindGroup),
		Account: ourPrefix + p.unguessable(s, kindAccount), // 18 of at most 24 lower-case letters and digits
		Export:  ourPrefix + "-" + p.unguessable(s, kindExport),
	}
	if s.Spec != nil {
		n.Region = s.Spec.Region
	}
	if row, ok := ledgerRow(s, kindGroup); ok {
		n.Group, n.Region = row.Name, orElse(row.Properties[propRegion], n.Region)
	}
	if row, ok := ledgerRow(s, kindAccount); ok {
		n.Account, n.Region = row.Name, orElse(row.Properties[propRegion], n.Region)
		n.Group = orElse(groupOf(row.ProviderID), n.Group)
	}
	n.Container = n.Account
	if row, ok := ledgerRow(s, kindContainer); ok {
		n.Container = row.Name
	}
	for _, row := range s.Resources {
		if row.Kind != kindExport || !stands(row) {
			continue
		}
		if !strings.HasSuffix(row.Name, amortizedSuffix) {
			n.Export = row.Name
		}
		n.Scope = orElse(scopeOfExport(row.ProviderID), n.Scope)
	}
	n.Amortized = n.Export + amortizedSuffix
	return n
}

func (n names) groupID() string {
	return "/subscriptions/" + n.Subscription + "/resourceGroups/" + n.Group
}

func (n names) accountID() string {
	return n.groupID() + "/providers/Microsoft.Storage/storageAccounts/" + n.Account
}

func (n names) containerID() string {
	return n.accountID() + "/blobServices/default/containers/" + n.Container
}

// amortizedSuffix tells the second of the two exports that stand in for FOCUS.
const amortizedSuffix = "-amortized"

// ledgerRow is the source's row of a kind that still stands for something: not merely planned, not deleted.
func ledgerRow(s *outlay.Source, kind outlay.ResourceKind) (outlay.Resource, bool) {
	if s == nil {
		return outlay.Resource{}, false
	}
	for _, r := range s.Resources {
		if r.Kind == kind && stands(r) {
			return r, true
		}
	}
	return outlay.Resource{}, false
}

// ledgerNamed is ledgerRow for one of several resources of a kind.
func ledgerNamed(s *outlay.Source, kind outlay.ResourceKind, name string) (outlay.Resource, bool) {
	for _, r := range s.Resources {
		if r.Kind == kind && r.Name == name && stands(r) {
			return r, true
		}
	}
	return outlay.Resource{}, false
}

func stands(r outlay.Resource) bool {
	return r.State != outlay.StatePlanned && r.State != outlay.StateDeleted
}

// done tells whether a change was made, as far as we know: not refused, not merely begun.
func done(r outlay.Resource) bool {
	return r.State == outlay.StateCreated || r.State == outlay.StateVerified
}

// ourTags are the marks that a resource is born with.
func (p *Provider) ourTags(s *outlay.Source, operation string) map[string]string {
	tags := map[string]string{
		tagManaged: managedBy, tagInstallation: p.opts.InstallationID,
		tagOrganization: s.OrgID, tagSource: s.ID,
	}
	if operation != "" {
		tags[tagOperation] = operation
	}
	return tags
}

// marks keeps the tags that say whose a resource is. Azure keeps the letter case of a tag's name but does not tell
// names apart by it, and the metadata of a container has '_' where tags have '-'.
func marks(tags map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range tags {
		name := strings.ReplaceAll(strings.ToLower(k), "_", "-")
		switch name {
		case tagManaged, tagInstallation, tagOrganization, tagSource, tagOperation:
			out[name] = v
		}
	}
	return out
}

// metadata are the marks as a container takes them: names are identifiers, without dashes.
func metadata(tags map[string]string) map[string]*string {
	out := map[string]*string{}
	for k, v := range tags {
		out[strings.ReplaceAll(k, "-", "_")] = &v
	}
	return out
}

// description carries the marks of an export, which has no tags.
func description(tags map[string]string) string {
	parts := make([]string, 0, len(tags))
	for _, k := range sortedKeys(tags) {
		parts = append(parts, k+"="+tags[k])
	}
	return strings.Join(parts, "; ")
}

// parseDescription reads the marks back. What a person added to the text is ignored; a name that comes twice counts
// for nothing.
func parseDescription(text string) map[string]string {
	tags, twice := map[string]string{}, map[string]bool{}
	for part := range strings.SplitSeq(text, ";") {
		k, v, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok {
			continue
		}
		if _, seen := tags[k]; seen {
			twice[k] = true
		}
		tags[k] = strings.TrimSpace(v)
	}
	for k := range twice {
		delete(tags, k)
	}
	return marks(tags)
}

// ours tells whether a live resource carries the marks of this installation and source.
func (p *Provider) ours(s *outlay.Source, owner map[string]string) bool {
	for k, v := range p.ourTags(s, "") {
		if owner[k] != v {
			return false
		}
	}
	return true
}

var (
	groupInID     = regexp.MustCompile(`(?i)^/?subscriptions/[^/]+/resourceGroups/([^/]+)`)
	exportInScope = regexp.MustCompile(`(?i)^/?(.+)/providers/Microsoft\.CostManagement/exports/[^/]+$`)
)

// groupOf is the resource group in a resource's id, "" when there is none.
func groupOf(id string) string {
	if m := groupInID.FindStringSubmatch(id); m != nil {
		return m[1]
	}
	return ""
}

// scopeOfExport is the cost scope in an export's id.
func scopeOfExport(id string) string {
	if m := exportInScope.FindStringSubmatch(id); m != nil {
		return m[1]
	}
	return ""
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// clip cuts a text that came from outside to at most n runes.
func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}
