package web

import (
	"context"
	"iter"
	"sync"

	"outlay"
)

// nimbus is a made-up provider. Its plan makes a bucket, an export and the tags; what it observes is set by the test.
type nimbus struct {
	mu       sync.Mutex
	denied   []outlay.Permission
	observes int
	fail     error
	existing []outlay.Existing
	byHand   bool // a removal leaves something that only a person can do
	applied  int
}

var _ outlay.Provider = (*nimbus)(nil)

const setupText = "{\n  \"trust\": {\n    \"externalId\": \"{external-id}\",\n    \"role\": \"{role}\"\n  }\n}"

func (*nimbus) Name() outlay.ProviderName { return "nimbus" }

func (*nimbus) About() outlay.ProviderInfo {
	return outlay.ProviderInfo{
		Name: "nimbus", Title: "Nimbus", Account: "Account number", Series: 1,
		CredentialKinds: []outlay.CredentialKind{
			{Kind: "role", Title: "Assume a role", Hint: "Nothing secret is stored.", Setup: setupText, Fields: []outlay.ProviderField{
				{Name: "role", Title: "Role", Hint: "Its full name."}, {Name: "external-id", Title: "External id", Generated: true},
			}},
			{Kind: "keys", Title: "Access key", Hint: "For a first try.", Warning: "A long-lived key can be stolen. Prefer the role.", Fields: []outlay.ProviderField{
				{Name: "key", Title: "Key id"}, {Name: "secret", Title: "Secret key", Secret: true},
			}},
		},
		Regions:      []outlay.Region{{ID: "north-1", Title: "Northern hills"}, {ID: "south-1", Title: "Southern coast"}},
		RegionHint:   "The store is made here.",
		RegionLink:   outlay.Link{Title: "Regions in the Nimbus documentation", URL: "https://docs.nimbus.example/regions"},
		TagsLink:     outlay.Link{Title: "Required permissions in the Nimbus documentation", URL: "https://docs.nimbus.example/permissions"},
		Fields:       []outlay.ProviderField{{Name: "format", Title: "Cost data", Default: "focus", Options: []outlay.Region{{ID: "focus", Title: "FOCUS 1.2, Parquet, daily"}, {ID: "both", Title: "FOCUS and the provider’s own"}}}, {Name: "prefix", Title: "Store prefix", Optional: true, Hint: "Lower-case letters.", Link: outlay.Link{Title: "Prefixes in the Nimbus documentation", URL: "https://docs.nimbus.example/prefixes"}}},
		ImportFields: []outlay.ProviderField{{Name: "archive", Title: "Archive", Hint: "Where to look."}},
		FileFormats: []outlay.FileFormat{
			{Format: "bill", Title: "Nimbus bill (new accounts)", Columns: []string{"NimbusCost", "NimbusKind"}}, {Format: "bill", Title: "Nimbus bill (old accounts)", Columns: []string{"Cost", "Kind"}},
		},
		TagsHint: "Nimbus lists a key only after some resource has carried it.",
		Tags: outlay.TagsInfo{Timing: "A key is in the charges a day after it was turned on.", Link: outlay.Link{Title: "Tags in the Nimbus documentation", URL: "https://docs.nimbus.example/tags"}, Backfill: "Nimbus writes all keys anew.", Manual: &outlay.Instruction{
			Text: "Turn the keys on in the console.", Who: "The payer", Link: "https://nimbus.example/tags", LinkTitle: "Tags in the console", Values: []outlay.InstructionValue{{Title: "Key", Value: "{key}"}}, Seen: "Its state becomes On.",
		}},
		FirstData: "First costs appear within 24 hours.", Running: "About $0.40 a month of storage at your volume.",
		DeleteFiles: "Cannot be undone. Nimbus will not send past months again.", KeepFiles: "Only the export is removed. You pay Nimbus for the storage.", LeftAlone: "They stay active. Other tools may rely on them.",
	}
}

func (n *nimbus) Observe(_ context.Context, a *outlay.CloudAccount, _ *outlay.Source, look outlay.Look) (outlay.Observation, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.observes++
	if n.fail != nil {
		return outlay.Observation{}, n.fail
	}
	o := outlay.Observation{At: fixedNow(), Identity: outlay.Identity{AccountID: a.Identity.AccountID, Principal: "role/billing-provisioner", Scope: outlay.BillingScope{ID: "210987654321", IsPayer: true}}}
	for _, action := range []string{"store:Make", "store:SetPolicy", "export:Make"} {
		o.Permissions = append(o.Permissions, outlay.Permission{Action: action, State: outlay.PermissionGranted, For: "the set-up"})
	}
	if look.Contents {
		o.Resources = append(o.Resources, outlay.Resource{Kind: "nimbus/store", Name: "outlay-billing-7f3a9c", Objects: 42, Bytes: 3 << 30})
	}
	o.Permissions = append(o.Permissions, n.denied...)
	if len(n.denied) > 0 {
		o.Policy = "{\n  \"allow\": [\"" + n.denied[0].Action + "\"]\n}"
	}
	return o, nil
}

func (n *nimbus) Plan(s *outlay.Source, seen outlay.Observation) (outlay.Plan, error) {
	store := outlay.Change{Action: outlay.ActionCreate, Kind: "nimbus/store", Name: "outlay-billing-7f3a9c", Title: "Object store", Detail: "Private, encrypted.", Step: "Make the store"}
	export := outlay.Change{Action: outlay.ActionCreate, Kind: "nimbus/export", Name: "outlay-focus-daily", Title: "Data export", Detail: "FOCUS 1.2, Parquet, daily, overwrite.", Step: "Make the export"}
	tags := outlay.Change{Action: outlay.ActionUpdate, Kind: "nimbus/tags", Name: "9 keys to Active", Title: "Cost allocation tags", Step: "Turn on the tags"}
	var p outlay.Plan
	for _, m := range seen.Missing() {
		p.Notes = append(p.Notes, outlay.Note{Level: "block", Text: "The credential lacks " + m.Action + "."})
	}
	if s.Spec != nil {
		store.To = map[string]string{"region": s.Spec.Region}
		store.Detail = "Private, encrypted, in " + s.Spec.Region + "."
		p.Changes = []outlay.Change{store, export}
		if len(s.Spec.Tags) > 0 {
			p.Changes = append(p.Changes, tags)
		}
		return p, nil
	}
	export.Action, store.Action = outlay.ActionDelete, outlay.ActionDelete
	p.Changes = []outlay.Change{export, store}
	if s.CostFiles == outlay.KeepCostFiles {
		p.Changes[1].Action = outlay.ActionKeep
	}
	if n.byHand {
		p.Changes = append(p.Changes, outlay.Change{Action: outlay.ActionManual, Kind: "nimbus/link", Name: "link", Title: "Cut the link", Detail: "Nimbus has no API for it.",
			Manual: &outlay.Instruction{Text: "Open the link page and press Cut.", Who: "Nimbus keeper", Link: "https://console.nimbus.example/link", LinkTitle: "Open the link page", Values: []outlay.InstructionValue{{Title: "Store", Value: "outlay-billing-7f3a9c"}}}})
	}
	return p, nil
}

func (n *nimbus) Apply(_ context.Context, _ *outlay.CloudAccount, _ *outlay.Source, c outlay.Change) (outlay.Resource, error) {
	n.applied++
	return outlay.Resource{Kind: c.Kind, Name: c.Name, State: outlay.StateVerified, Origin: outlay.CreatedByUs}, nil
}

func (*nimbus) Deliveries(context.Context, *outlay.CloudAccount, *outlay.Source) iter.Seq2[outlay.Delivery, error] {
	return func(func(outlay.Delivery, error) bool) {}
}

func (*nimbus) Fetch(context.Context, *outlay.CloudAccount, *outlay.Source, outlay.Delivery, string) ([]string, error) {
	return nil, outlay.Errorf(outlay.CodeNotFound, "", "nimbus delivers nothing here")
}

func (*nimbus) Mapping(format string) (outlay.Mapping, error) {
	if format == "bill" {
		return outlay.Mapping{}, nil
	}
	return outlay.Mapping{}, outlay.Errorf(outlay.CodeInvalid, "", "nimbus has no format %q", format)
}

func (n *nimbus) Existing(_ context.Context, _ *outlay.CloudAccount, fields map[string]string) ([]outlay.Existing, error) {
	if fields["archive"] == "secret" {
		e := outlay.Errorf(outlay.CodeForbidden, "Grant it, then look again.", "Nimbus answered AccessDenied")
		e.Needs = []outlay.Permission{{Action: "export:List", Resource: "*"}}
		return nil, e
	}
	return n.existing, nil
}

func (*nimbus) Labels(map[string]string) ([]outlay.Label, error) { return nil, nil }
