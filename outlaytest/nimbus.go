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
	Clock  outlay.Clock
	// Fail, when set, is asked before each Apply.
	Fail func(c outlay.Change) error
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
		DeleteFiles: "Cannot be undone.", KeepFiles: "Only the feed is removed.", LeftAlone: "The tags stay active.",
	}
}

// Observe reports what Exists, as far as look asks.
func (n *Nimbus) Observe(_ context.Context, a *outlay.CloudAccount, s *outlay.Source, look outlay.Look) (outlay.Observation, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	o := outlay.Observation{At: n.Clock.Now(), Identity: outlay.Identity{AccountID: a.Credential.Values["tenant"], Principal: "nimbus:" + a.Name, Scope: outlay.BillingScope{ID: n.Scope, IsPayer: !n.Member}}}
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

// Plan is a vault, a feed and the tags, or the removal of what the ledger says is ours.
func (n *Nimbus) Plan(s *outlay.Source, seen outlay.Observation) (outlay.Plan, error) {
	var p outlay.Plan
	for _, m := range seen.Missing() {
		if s.Spec == nil {
			break // what is missing is only needed to make things
		}
		p.Notes = append(p.Notes, outlay.Note{Level: "block", Text: "The credential lacks " + m.Action + "."})
	}
	vault, feed := "vault-"+s.ID, "feed-"+s.ID
	_, hasVault := seen.Find("nimbus/vault", vault)
	_, hasFeed := seen.Find("nimbus/feed", feed)
	add := func(action outlay.ChangeAction, kind outlay.ResourceKind, name, title string) {
		p.Changes = append(p.Changes, outlay.Change{Action: action, Kind: kind, Name: name, Title: title, Step: string(action) + " the " + title, Needs: []string{string(kind)[7:] + ":create"}})
	}
	if s.Spec == nil {
		if hasFeed {
			add(outlay.ActionDelete, "nimbus/feed", feed, "feed")
		}
		if hasVault && s.CostFiles == outlay.DeleteCostFiles {
			add(outlay.ActionDelete, "nimbus/vault", vault, "vault")
		}
		return p, nil
	}
	if !hasVault {
		add(outlay.ActionCreate, "nimbus/vault", vault, "vault")
	}
	if !hasFeed {
		add(outlay.ActionCreate, "nimbus/feed", feed, "feed")
	}
	return p, nil
}

// Apply makes one change in Exists.
func (n *Nimbus) Apply(_ context.Context, _ *outlay.CloudAccount, s *outlay.Source, c outlay.Change) (outlay.Resource, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
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
	n.Exists[c.Key()] = r
	return r, nil
}

// Deliveries yields none: rooms that load data bring their own.
func (n *Nimbus) Deliveries(context.Context, *outlay.CloudAccount, *outlay.Source) iter.Seq2[outlay.Delivery, error] {
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

// Existing lists none.
func (n *Nimbus) Existing(context.Context, *outlay.CloudAccount, map[string]string) ([]outlay.Existing, error) {
	return nil, nil
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
