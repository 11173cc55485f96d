package provision

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"strings"
	"time"

	"outlay"
)

// The kinds of the made-up cloud.
const (
	kindStore  outlay.ResourceKind = "nimbus/store"
	kindRule   outlay.ResourceKind = "nimbus/rule"
	kindFiles  outlay.ResourceKind = "nimbus/files"
	kindExport outlay.ResourceKind = "nimbus/export"
	kindTag    outlay.ResourceKind = "nimbus/tag"
)

// nimbus is a made-up cloud and its provider in one: a map of live things, and hooks where a test makes calls fail.
type nimbus struct {
	clock  outlay.Clock
	live   map[string]outlay.Resource
	hidden map[string]time.Time // not listed before then: eventual consistency
	who    string               // the account that the credential is
	scope  string               // who is invoiced
	// before and after are asked around the effect of each Apply; an error is the call's answer.
	before, after func(c outlay.Change) error
	// unhealthy is how many looks an export still needs to become healthy.
	unhealthy int
	denied    []outlay.Permission
	applied   []string // "create nimbus/store", in order
	observed  int
	unknown   map[string]string
}

func newNimbus(clock outlay.Clock) *nimbus {
	pass := func(outlay.Change) error { return nil }
	return &nimbus{clock: clock, live: map[string]outlay.Resource{}, hidden: map[string]time.Time{}, who: "1111", scope: "1111", before: pass, after: pass}
}

func (n *nimbus) Name() outlay.ProviderName { return "nimbus" }

func (n *nimbus) About() outlay.ProviderInfo {
	return outlay.ProviderInfo{Name: "nimbus", Title: "Nimbus", FirstData: "First costs appear within 24 hours."}
}

func (n *nimbus) Observe(ctx context.Context, _ *outlay.CloudAccount, s *outlay.Source, look outlay.Look) (outlay.Observation, error) {
	n.observed++
	outlay.CountCall(ctx)
	seen := outlay.Observation{At: n.clock.Now(), Identity: outlay.Identity{AccountID: n.who, Scope: outlay.BillingScope{ID: n.scope}}, Unknown: n.unknown}
	for key, r := range n.live {
		if look.Kinds == nil && r.Kind == kindTag || !look.Wants(r.Kind) || n.clock.Now().Before(n.hidden[key]) {
			continue
		}
		if r.Kind == kindExport {
			r.Properties = map[string]string{"status": "healthy"}
			if n.unhealthy > 0 {
				n.unhealthy--
				r.Properties = map[string]string{"status": "starting"}
			}
		}
		seen.Resources = append(seen.Resources, r)
	}
	if look.Permissions {
		seen.Permissions, seen.Policy = n.denied, "allow what is missing"
	}
	return seen, nil
}

// Plan plans one store, its rule, one export and the wanted tags, named after the source.
func (n *nimbus) Plan(s *outlay.Source, seen outlay.Observation) (outlay.Plan, error) {
	store, export := "store-"+s.ID, "export-"+s.ID
	_, hasStore := seen.Find(kindStore, store)
	live, hasExport := seen.Find(kindExport, export)
	var p outlay.Plan
	add := func(c outlay.Change) { p.Changes = append(p.Changes, c) }
	if s.Spec == nil {
		if hasExport {
			add(outlay.Change{Action: outlay.ActionDelete, Kind: kindExport, Name: export, Step: "Delete the export", Verify: "Wait until deliveries stop"})
		}
		if hasStore && s.CostFiles == outlay.DeleteCostFiles {
			add(outlay.Change{Action: outlay.ActionDelete, Kind: kindFiles, Name: store, Step: "Delete the files"})
			add(outlay.Change{Action: outlay.ActionDelete, Kind: kindStore, Name: store, Step: "Delete the store"})
		} else if hasStore {
			add(outlay.Change{Action: outlay.ActionKeep, Kind: kindStore, Name: store, Title: "Store", Detail: "Kept, as chosen"})
		}
		return p, nil
	}
	if !hasStore {
		add(outlay.Change{Action: outlay.ActionCreate, Kind: kindStore, Name: store, Step: "Create the store", Look: "Look for the store", Settle: time.Minute})
	}
	if _, ok := seen.Find(kindRule, store); !ok {
		add(outlay.Change{Action: outlay.ActionUpdate, Kind: kindRule, Name: store, Step: "Set the rule"})
	}
	switch {
	case !hasExport:
		add(outlay.Change{Action: outlay.ActionCreate, Kind: kindExport, Name: export, Step: "Create the export", Look: "Look for an export", Verify: "Check the export", Settle: time.Minute})
	case live.Properties["status"] != "healthy":
		add(outlay.Change{Action: outlay.ActionUpdate, Kind: kindExport, Name: export, Step: "Repair the export", Detail: "it is " + live.Properties["status"]})
	}
	for _, tag := range s.Spec.Tags {
		c := outlay.Change{Action: outlay.ActionUpdate, Kind: kindTag, Name: tag, Step: "Turn on " + tag, Auto: true, Soft: true}
		if tag == "Unseen" {
			c.Hold = "no resource has carried it yet"
		}
		add(c)
	}
	return p, nil
}

func (n *nimbus) Apply(ctx context.Context, _ *outlay.CloudAccount, s *outlay.Source, c outlay.Change) (outlay.Resource, error) {
	outlay.CountCall(ctx)
	if err := n.before(c); err != nil {
		return outlay.Resource{}, err
	}
	n.applied = append(n.applied, fmt.Sprintf("%s %s", c.Action, c.Kind))
	r, err := n.effect(s, c)
	if err != nil {
		return outlay.Resource{}, err
	}
	return r, n.after(c)
}

// effect changes the cloud. Like some real ones it makes a second thing of the same name when asked twice.
func (n *nimbus) effect(s *outlay.Source, c outlay.Change) (outlay.Resource, error) {
	key := c.Key()
	switch c.Action {
	case outlay.ActionDelete:
		if c.Kind == kindFiles {
			store := n.live[string(kindStore)+" "+c.Name]
			store.Objects = 0
			n.live[store.Key()] = store
			return outlay.Resource{}, nil
		}
		if n.live[key].Objects > 0 {
			return outlay.Resource{}, &outlay.Error{Code: outlay.CodeUnavailable, Message: "the store is not empty"}
		}
		delete(n.live, key)
		if c.Kind == kindStore {
			delete(n.live, string(kindRule)+" "+c.Name)
		}
		return outlay.Resource{}, nil
	case outlay.ActionCreate:
		if _, taken := n.live[key]; taken {
			key = fmt.Sprintf("%s (copy %d)", key, len(n.live))
		}
	}
	r := n.marked(s.OrgID, s.ID, c)
	n.live[key] = r
	return r, nil
}

// marked is a live thing with our marks.
func (n *nimbus) marked(orgID, sourceID string, c outlay.Change) outlay.Resource {
	return outlay.Resource{
		Kind: c.Kind, Name: c.Name, ProviderID: "id:" + c.Name, Created: n.clock.Now(), Properties: maps.Clone(c.To),
		Owner: map[string]string{"outlay-organization-id": orgID, "outlay-source-id": sourceID},
	}
}

func (n *nimbus) Deliveries(context.Context, *outlay.CloudAccount, *outlay.Source) iter.Seq2[outlay.Delivery, error] {
	return func(func(outlay.Delivery, error) bool) {}
}

func (n *nimbus) Fetch(context.Context, *outlay.CloudAccount, *outlay.Source, outlay.Delivery, string) ([]string, error) {
	return nil, outlay.Errorf(outlay.CodeNotFound, "", "nothing is delivered here")
}

func (n *nimbus) Mapping(format string) (outlay.Mapping, error) {
	return outlay.Mapping{}, outlay.Errorf(outlay.CodeInvalid, "", "no format %q", format)
}

// count is how many live things of a kind there are, copies included.
func (n *nimbus) count(kind outlay.ResourceKind) int {
	found := 0
	for key := range n.live {
		if strings.HasPrefix(key, string(kind)+" ") {
			found++
		}
	}
	return found
}

func (*nimbus) Existing(context.Context, *outlay.CloudAccount, map[string]string) ([]outlay.Existing, error) {
	return nil, nil
}

func (*nimbus) Labels(map[string]string) ([]outlay.Label, error) { return nil, nil }
