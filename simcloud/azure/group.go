package azure

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// resourceGroup holds resources; deleting it deletes them.
type resourceGroup struct {
	Name, Location string
	Tags           map[string]string
	State          string // "Succeeded", "Deleting"
	Created        time.Time
	Hidden         int // reads that do not see it yet
	Foreign        bool
}

// longRunning is an operation that a client polls.
type longRunning struct {
	ID     string
	Kind   string // "group" or "account"
	Target string // resource id
	Polls  int    // answers still to come that say it goes on
}

var groupName = regexp.MustCompile(`^[-\w.()]{0,89}[-\w()]$`)

func groupID(sub, name string) string { return "/subscriptions/" + sub + "/resourceGroups/" + name }

func (g *resourceGroup) wire(s *subscription) object {
	return object{
		"id": groupID(s.ID, g.Name), "name": g.Name, "type": "Microsoft.Resources/resourceGroups", "location": g.Location, "tags": tagsOf(g.Tags),
		"properties": object{"provisioningState": g.State},
	}
}

func tagsOf(m map[string]string) map[string]string {
	out := map[string]string{}
	maps.Copy(out, m)
	return out
}

// locations are the regions that this cloud has. Azure takes them in any spelling and gives back the short one.
func location(text string) (string, bool) {
	l := strings.ToLower(strings.ReplaceAll(text, " ", ""))
	return l, slices.Contains([]string{
		"eastus", "eastus2", "westus2", "westus3", "centralus", "northcentralus", "southcentralus", "canadacentral", "brazilsouth", "northeurope", "westeurope", "uksouth", "francecentral",
		"germanywestcentral", "swedencentral", "switzerlandnorth", "norwayeast", "southeastasia", "eastasia", "japaneast", "koreacentral", "australiaeast", "centralindia", "southafricanorth", "uaenorth",
	}, l)
}

func badLocation(text string) *refusal {
	return refuse(http.StatusBadRequest, "LocationNotAvailableForResourceGroup", "The provided location '%s' is not available for resource group.", text)
}

// liveGroup finds a group that is there, or going.
func (c *Cloud) liveGroup(k *call, action string) (*subscription, *resourceGroup, *refusal) {
	s, fail := c.inSubscription(k, action, groupID(k.P["sub"], k.P["group"]))
	if fail != nil {
		return nil, nil, fail
	}
	c.settle(groupID(s.ID, k.P["group"]))
	g := s.Groups[strings.ToLower(k.P["group"])]
	if g == nil {
		return s, nil, noGroup(k)
	}
	return s, g, nil
}

func noGroup(k *call) *refusal {
	return refuse(http.StatusNotFound, "ResourceGroupNotFound", "Resource group '%s' could not be found.", k.P["group"])
}

func (c *Cloud) groupExists(k *call) (answer, *refusal) {
	_, g, fail := c.liveGroup(k, "Microsoft.Resources/subscriptions/resourceGroups/read")
	if fail == nil && hides(&g.Hidden) {
		fail = noGroup(k)
	}
	if fail != nil {
		return answer{}, fail
	}
	return empty(http.StatusNoContent)
}

func (c *Cloud) getGroup(k *call) (answer, *refusal) {
	s, g, fail := c.liveGroup(k, "Microsoft.Resources/subscriptions/resourceGroups/read")
	if fail == nil && hides(&g.Hidden) {
		fail = noGroup(k)
	}
	if fail != nil {
		return answer{}, fail
	}
	return jsonAnswer(http.StatusOK, g.wire(s))
}

func (c *Cloud) listGroups(k *call) (answer, *refusal) {
	s, fail := c.inSubscription(k, "Microsoft.Resources/subscriptions/resourceGroups/read", "/subscriptions/"+k.P["sub"])
	if fail != nil {
		return answer{}, fail
	}
	out := []object{}
	for _, name := range slices.Sorted(maps.Keys(s.Groups)) {
		if g := s.Groups[name]; !hides(&g.Hidden) {
			out = append(out, g.wire(s))
		}
	}
	return page(k, c.state.Base, out, 3)
}

func (c *Cloud) putGroup(k *call) (answer, *refusal) {
	s, fail := c.inSubscription(k, "Microsoft.Resources/subscriptions/resourceGroups/write", groupID(k.P["sub"], k.P["group"]))
	if fail != nil {
		return answer{}, fail
	}
	var in struct {
		Location string
		Tags     map[string]string
	}
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	loc, ok := location(in.Location)
	if !ok {
		return answer{}, badLocation(in.Location)
	}
	if !groupName.MatchString(k.P["group"]) {
		return answer{}, refuse(http.StatusBadRequest, "InvalidResourceGroup", "The provided resource group name '%s' has these invalid characters.", k.P["group"])
	}
	if fail := c.writable(s, groupID(s.ID, k.P["group"])); fail != nil {
		return answer{}, fail
	}
	if g := s.Groups[strings.ToLower(k.P["group"])]; g != nil {
		return c.updateGroup(s, g, loc, in.Tags)
	}
	g := &resourceGroup{Name: k.P["group"], Location: loc, Tags: tagsOf(in.Tags), State: "Succeeded", Created: c.opt.Now(), Hidden: c.opt.ReadLag}
	s.Groups[strings.ToLower(g.Name)] = g
	return jsonAnswer(http.StatusCreated, g.wire(s))
}

func (c *Cloud) updateGroup(s *subscription, g *resourceGroup, loc string, tags map[string]string) (answer, *refusal) {
	if g.State == "Deleting" {
		return answer{}, refuse(http.StatusConflict, "ResourceGroupBeingDeleted", "The resource group '%s' is in deprovisioning state and cannot perform this operation.", g.Name)
	}
	if g.Location != loc {
		return answer{}, refuse(http.StatusConflict, "InvalidResourceGroupLocation", "Invalid resource group location '%s'. The Resource group already exists in location '%s'.", loc, g.Location)
	}
	g.Tags = tagsOf(tags)
	return jsonAnswer(http.StatusOK, g.wire(s))
}

// deleteGroup begins to delete a group and all in it.
func (c *Cloud) deleteGroup(k *call) (answer, *refusal) {
	s, g, fail := c.liveGroup(k, "Microsoft.Resources/subscriptions/resourceGroups/delete")
	if fail != nil {
		return answer{}, fail
	}
	id := groupID(s.ID, g.Name)
	if fail := c.lockedWithin(id); fail != nil {
		return answer{}, fail
	}
	g.State = "Deleting"
	op := c.begin("group", id)
	return c.accepted("/subscriptions/"+s.ID+"/operationresults/"+op.ID, k)
}

// begin starts a long-running operation. Without polls it is through at once.
func (c *Cloud) begin(kind, target string) *longRunning {
	op := &longRunning{ID: c.state.UUID(), Kind: kind, Target: target, Polls: c.opt.Polls}
	c.state.Operations[op.ID] = op
	if op.Polls == 0 {
		c.finish(op)
	}
	return op
}

// accepted is the 202 that says where to ask.
func (c *Cloud) accepted(path string, k *call) (answer, *refusal) {
	a, _ := empty(http.StatusAccepted)
	a.Header.Set("Location", c.state.Base+path+"?api-version="+k.Query.Get("api-version"))
	c.waitHint(a.Header)
	return a, nil
}

func (c *Cloud) waitHint(h http.Header) {
	h.Set("Retry-After-Ms", strconv.FormatInt(c.opt.RetryAfter.Milliseconds(), 10))
}

// getOperation is one poll. A caller needs no more than to be signed in.
func (c *Cloud) getOperation(k *call) (answer, *refusal) {
	op := c.state.Operations[k.P["operation"]]
	if op == nil {
		return answer{}, refuse(http.StatusNotFound, "NotFound", "The operation '%s' could not be found.", k.P["operation"])
	}
	if op.Polls--; op.Polls >= 0 {
		a, _ := empty(http.StatusAccepted)
		a.Header.Set("Location", c.state.Base+k.R.URL.RequestURI())
		c.waitHint(a.Header)
		return a, nil
	}
	c.finish(op)
	if acc := c.accountByID(op.Target); op.Kind == "account" && acc != nil {
		return jsonAnswer(http.StatusOK, acc.wire(c.state.Base))
	}
	return empty(http.StatusOK)
}

// finish does what an operation was begun for. Doing it twice is the same as once.
func (c *Cloud) finish(op *longRunning) {
	switch op.Kind {
	case "account":
		if acc := c.accountByID(op.Target); acc != nil {
			acc.State = "Succeeded"
		}
	case "group":
		parts := strings.Split(op.Target, "/")
		s := c.state.Subscriptions[parts[2]]
		if g := s.Groups[strings.ToLower(parts[4])]; g == nil || g.State != "Deleting" {
			return
		}
		for _, acc := range c.accountsOf(s.ID, parts[4]) {
			c.dropAccount(acc)
		}
		delete(s.Groups, strings.ToLower(parts[4]))
	}
}

// settle moves on what clients wait for without polling its operation: each read of the resource is a poll.
func (c *Cloud) settle(target string) {
	for _, op := range c.state.Operations {
		if !strings.EqualFold(op.Target, target) {
			continue
		}
		if op.Polls--; op.Polls < 0 {
			c.finish(op)
		}
	}
}

// groupResources lists what is in a group. Exports and containers are no resources of it, accounts are.
func (c *Cloud) groupResources(k *call) (answer, *refusal) {
	s, g, fail := c.liveGroup(k, "Microsoft.Resources/subscriptions/resourceGroups/read")
	if fail != nil {
		return answer{}, fail
	}
	out := []object{}
	for _, acc := range c.accountsOf(s.ID, g.Name) {
		if hides(&acc.Hidden) {
			continue
		}
		out = append(out, object{
			"id": acc.id(), "name": acc.Name, "type": "Microsoft.Storage/storageAccounts", "location": acc.Location, "kind": acc.Kind, "tags": tagsOf(acc.Tags),
			"sku": object{"name": acc.Sku, "tier": "Standard"},
		})
	}
	return page(k, c.state.Base, out, 3)
}

// writable refuses a change in a disabled subscription or under a read-only lock.
func (c *Cloud) writable(s *subscription, id string) *refusal {
	if s.State != "Enabled" {
		return refuse(http.StatusConflict, "ReadOnlyDisabledSubscription", "The subscription '%s' is disabled and therefore marked as read only.", s.ID)
	}
	for at, name := range c.state.Locks {
		if strings.HasPrefix(name, "ReadOnly") && (normal(id) == at || strings.HasPrefix(normal(id), at+"/")) {
			return lockRefusal("write", id, at)
		}
	}
	return nil
}

// locked refuses a delete where a lock at the scope or above forbids it.
func (c *Cloud) locked(id string) *refusal {
	for at := range c.state.Locks {
		if normal(id) == at || strings.HasPrefix(normal(id), at+"/") {
			return lockRefusal("delete", id, at)
		}
	}
	return nil
}

// lockedWithin refuses a delete where anything inside is locked too.
func (c *Cloud) lockedWithin(id string) *refusal {
	if fail := c.locked(id); fail != nil {
		return fail
	}
	for at := range c.state.Locks {
		if strings.HasPrefix(at, normal(id)+"/") {
			return lockRefusal("delete", id, at)
		}
	}
	return nil
}

func lockRefusal(what, id, at string) *refusal {
	return refuse(http.StatusConflict, "ScopeLocked", "The scope '%s' cannot perform %s operation because following scope(s) are locked: '%s'. Please remove the lock and try again.", id, what, at)
}

// Lock puts a lock on a scope: kind is "CanNotDelete" or "ReadOnly". "" takes it off.
func (c *Cloud) Lock(scope, kind string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if kind == "" {
		delete(c.state.Locks, normal(scope))
	} else {
		c.state.Locks[normal(scope)] = kind
	}
	c.persist()
}
