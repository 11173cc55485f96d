package outlaytest

import (
	"context"
	"iter"
	"sync"
	"time"

	"outlay"
)

// Nimbus is a made-up provider held in memory: a vault for files and a feed that fills it. It serves tests of rooms
// that must not know any real provider. Its zero value is not usable: call NewNimbus.
type Nimbus struct {
	mu sync.Mutex
	// Exists are the resources that stand, by key.
	Exists map[string]outlay.Resource
	// Missing permissions are reported denied by Observe and refuse Apply.
	Missing map[string]bool
	// Identity is answered for each credential's value "tenant".
	Scope string
	// Member says that the accounts are not the ones that are invoiced.
	Member bool
	// Scopes gives single tenants another scope than Scope.
	Scopes map[string]string
	// Members are listed under a scope; UnknownMembers makes them unreadable.
	Members        map[string][]outlay.Member
	UnknownMembers bool
	// ByHand asks a person for one step, the link, until Linked is set.
	ByHand, Linked bool
	// Exports stand already, for Existing; Asked is what Existing was given.
	Exports []outlay.Existing
	Asked   map[string]string
	// Refuses has a removal keep the vault, as one that bears nobody's marks.
	Refuses bool
	// ImportNotes are what a look at an imported export says.
	ImportNotes []outlay.Note
	// Calls names every call that was made, in order: "observe", "apply delete nimbus/feed", "deliveries".
	Calls []string
	Clock outlay.Clock
	// Fail, when set, is asked before each Apply.
	Fail func(c outlay.Change) error
	// Refuse, when set, is what Observe answers.
	Refuse error
}

// NewNimbus makes an empty Nimbus whose accounts are all invoiced to one scope.
func NewNimbus(clock outlay.Clock) *Nimbus {
	return &Nimbus{Exists: map[string]outlay.Resource{}, Missing: map[string]bool{}, Scope: "scope-1", Clock: clock}
}

// Name is "nimbus".
func (n *Nimbus) Name() outlay.ProviderName { return "nimbus" }

// About has one way to sign in with a secret, two regions and one optional field.
func (n *Nimbus) About() outlay.ProviderInfo {
	return outlay.ProviderInfo{
		Name: "nimbus", Title: "Nimbus", Account: "Tenant", Series: 1,
		CredentialKinds: []outlay.CredentialKind{
			{Kind: "trust", Title: "Trust", Hint: "Recommended.", Fields: []outlay.ProviderField{{Name: "tenant", Title: "Tenant", Hint: "t-1", Pattern: "[a-z0-9-]+"}, {Name: "external_id", Title: "External id", Generated: true}}, Setup: "trust {external_id}"},
			{Kind: "key", Title: "Key", Warning: "A key that never changes can be stolen.", Fields: []outlay.ProviderField{{Name: "tenant", Title: "Tenant"}, {Name: "key", Title: "Key", Secret: true}}},
		},
		Regions: []outlay.Region{{ID: "north-1", Title: "North"}, {ID: "south-1", Title: "South"}}, RegionHint: "Where the vault goes.",
		Fields:    []outlay.ProviderField{{Name: "vault", Title: "Vault name", Optional: true}},
		FirstData: "First costs appear within a day.", Running: "About $0.40 a month.",
		ImportFields: []outlay.ProviderField{{Name: "archive", Title: "Archive", Hint: "Where to look for feeds.", Optional: true}},
		ReadPrice:    "6.25", ReadCurrency: "USD",
		DeleteFiles: "Cannot be undone.", KeepFiles: "Only the feed is removed.", LeftAlone: "The tags stay active.",
	}
}

// Observe reports what Exists, as far as look asks.
func (n *Nimbus) Observe(_ context.Context, a *outlay.CloudAccount, s *outlay.Source, look outlay.Look) (outlay.Observation, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.Calls = append(n.Calls, "observe")
	if n.Refuse != nil {
		return outlay.Observation{}, n.Refuse
	}
	o := outlay.Observation{At: n.Clock.Now(), Identity: n.identity(a)}
	n.members(&o, look)
	if s.Origin == outlay.OriginImported {
		o.Resources, o.Notes = n.imported(s), n.ImportNotes
		return o, nil
	}
	for _, r := range n.Exists {
		if look.Wants(r.Kind) && r.Owner["outlay-source-id"] == s.ID {
			r.LastSeen = o.At
			o.Resources = append(o.Resources, r)
		}
	}
	if look.Permissions {
		for _, action := range []string{"vault:create", "feed:create"} {
			p := outlay.Permission{Action: action, Resource: "*", For: "provisioning", State: outlay.PermissionGranted}
			if n.Missing[action] {
				p.State, o.Policy = outlay.PermissionDenied, `{"allow":"`+action+`"}`
			}
			o.Permissions = append(o.Permissions, p)
		}
	}
	return o, nil
}

func (n *Nimbus) identity(a *outlay.CloudAccount) outlay.Identity {
	tenant := a.Credential.Values["tenant"]
	scope, own := n.Scopes[tenant]
	if !own {
		scope = n.Scope
	}
	return outlay.Identity{AccountID: tenant, Principal: "nimbus:" + a.Name, Scope: outlay.BillingScope{ID: scope, IsPayer: !n.Member && scope != ""}}
}

func (n *Nimbus) members(o *outlay.Observation, look outlay.Look) {
	switch {
	case !look.Members:
	case n.UnknownMembers:
		o.Unknown = map[string]string{"members": "the credential may not list them"}
	default:
		o.Members = n.Members[o.Identity.Scope.ID]
	}
}

// imported is the export that an imported source reads, or that it is gone.
func (n *Nimbus) imported(s *outlay.Source) []outlay.Resource {
	r := outlay.Resource{Kind: "nimbus/feed", Name: s.Spec.Fields["feed"], State: outlay.StateMissing, Origin: outlay.PreExisting, LastError: "the feed does not exist any more"}
	for _, e := range n.Exports {
		if e.Fields["feed"] == r.Name {
			r.State, r.LastError, r.ProviderID = outlay.StateVerified, "", e.ID
		}
	}
	return []outlay.Resource{r}
}

// Plan is a vault, a feed and the tags, or the removal of what the ledger says is ours.
func (n *Nimbus) Plan(s *outlay.Source, seen outlay.Observation) (outlay.Plan, error) {
	var p outlay.Plan
	for _, m := range seen.Missing() {
		if s.Spec == nil {
			break // what is missing is only needed to make things
		}
		p.Notes = append(p.Notes, outlay.Note{Level: "block", Text: "The credential lacks " + m.Action + "."})
	}
	if s.Origin == outlay.OriginImported {
		return outlay.Plan{}, nil
	}
	vault, feed, link := "vault-"+s.ID, "feed-"+s.ID, "link-"+s.ID
	live, hasVault := seen.Find("nimbus/vault", vault)
	_, hasFeed := seen.Find("nimbus/feed", feed)
	add := func(action outlay.ChangeAction, kind outlay.ResourceKind, name, title string) {
		p.Changes = append(p.Changes, outlay.Change{Action: action, Kind: kind, Name: name, Title: title, Step: string(action) + " the " + title, Needs: []string{string(kind)[7:] + ":create"}})
	}
	if s.Spec == nil {
		if hasFeed {
			add(outlay.ActionDelete, "nimbus/feed", feed, "feed")
		}
		switch {
		case hasVault && n.Refuses:
			p.Changes = append(p.Changes, outlay.Change{Action: outlay.ActionKeep, Kind: "nimbus/vault", Name: vault, Title: "vault", Detail: "Kept: it is not ours"})
		case hasVault && s.CostFiles == outlay.DeleteCostFiles:
			add(outlay.ActionDelete, "nimbus/vault", vault, "vault")
		case hasVault && s.CostFiles == outlay.KeepCostFiles:
			p.Changes = append(p.Changes, outlay.Change{Action: outlay.ActionKeep, Kind: "nimbus/vault", Name: vault, Title: "vault", Detail: "Kept with its files, as chosen"})
		}
		if n.ByHand {
			add(outlay.ActionManual, "nimbus/link", link, "link")
			p.Changes[len(p.Changes)-1].Detail = "Cut the link on Nimbus's page."
		}
		return p, nil
	}
	if !hasVault {
		add(outlay.ActionCreate, "nimbus/vault", vault, "vault")
	}
	if want := map[string]string{"lock": "on"}; hasVault && live.Properties["lock"] != want["lock"] {
		add(outlay.ActionUpdate, "nimbus/vault", vault, "vault")
		last := &p.Changes[len(p.Changes)-1]
		last.From, last.To, last.Detail = live.Properties, want, "Somebody opened it."
	}
	if !hasFeed {
		add(outlay.ActionCreate, "nimbus/feed", feed, "feed")
	}
	if n.ByHand && !n.Linked {
		add(outlay.ActionManual, "nimbus/link", link, "link")
		p.Changes[len(p.Changes)-1].Manual = &outlay.Instruction{
			Text: "Nimbus has no API for its link. Choose the vault on its page and press Save.", Who: "Nimbus keeper", Link: "https://nimbus.example/link", LinkTitle: "Open the link page",
			Values: []outlay.InstructionValue{{Title: "Vault", Value: vault}}, Seen: "It shows within the hour.",
		}
	}
	return p, nil
}

// Apply makes one change in Exists.
func (n *Nimbus) Apply(_ context.Context, _ *outlay.CloudAccount, s *outlay.Source, c outlay.Change) (outlay.Resource, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.Calls = append(n.Calls, "apply "+string(c.Action)+" "+string(c.Kind))
	if n.Fail != nil {
		if err := n.Fail(c); err != nil {
			return outlay.Resource{}, err
		}
	}
	for _, need := range c.Needs {
		if n.Missing[need] {
			e := outlay.Errorf(outlay.CodeForbidden, "Grant "+need+".", "the credential lacks %s", need)
			e.Needs = []outlay.Permission{{Action: need, Resource: c.Name, State: outlay.PermissionDenied}}
			return outlay.Resource{}, e
		}
	}
	r := outlay.Resource{OrgID: s.OrgID, SourceID: s.ID, Kind: c.Kind, Name: c.Name, ProviderID: "nimbus:" + c.Name, State: outlay.StateCreated, Origin: outlay.CreatedByUs, Created: n.Clock.Now(), Owner: map[string]string{"outlay-source-id": s.ID, "outlay-organization-id": s.OrgID}}
	if c.Action == outlay.ActionDelete {
		delete(n.Exists, c.Key())
		r.State = outlay.StateDeleted
		return r, nil
	}
	if c.Kind == "nimbus/vault" {
		r.Properties = map[string]string{"lock": "on"}
	}
	n.Exists[c.Key()] = r
	return r, nil
}

// Deliveries yields none: rooms that load data bring their own.
func (n *Nimbus) Deliveries(ctx context.Context, _ *outlay.CloudAccount, _ *outlay.Source) iter.Seq2[outlay.Delivery, error] {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.Calls = append(n.Calls, "deliveries")
	outlay.CountBilled(ctx, 1<<30)
	return func(func(outlay.Delivery, error) bool) {}
}

// Fetch knows no delivery.
func (n *Nimbus) Fetch(context.Context, *outlay.CloudAccount, *outlay.Source, outlay.Delivery, string) ([]string, error) {
	return nil, outlay.Errorf(outlay.CodeNotFound, "", "there is no such delivery")
}

// Mapping knows no format.
func (n *Nimbus) Mapping(format string) (outlay.Mapping, error) {
	return outlay.Mapping{}, outlay.Errorf(outlay.CodeInvalid, "", "unknown format %q", format)
}

// Clock is a clock that a test moves.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// NewClock makes a clock that stands at t.
func NewClock(t time.Time) *Clock { return &Clock{at: t.UTC()} }

// Now is where the clock stands.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Add moves the clock on.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// Existing lists Exports.
func (n *Nimbus) Existing(_ context.Context, _ *outlay.CloudAccount, fields map[string]string) ([]outlay.Existing, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.Calls, n.Asked = append(n.Calls, "existing"), fields
	return n.Exports, nil
}

// Feed is an existing export of Nimbus.
func Feed(name string) outlay.Existing {
	return outlay.Existing{ID: "nimbus:" + name, Name: name, Title: "Feed", Detail: "vault of " + name, Format: "focus", Fields: map[string]string{"feed": name}}
}

// Labels leaves tags as they are.
func (n *Nimbus) Labels(tags map[string]string) ([]outlay.Label, error) {
	var out []outlay.Label
	for _, key := range outlay.TagKeys() {
		if v, ok := tags[key]; ok {
			out = append(out, outlay.Label{Tag: key, Original: v, Key: key, Value: v})
		}
	}
	return out, nil
}
