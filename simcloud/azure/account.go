package azure

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// storageAccount holds containers. Its name is taken for everybody.
type storageAccount struct {
	Name                string
	Subscription, Group string
	Location, Kind, Sku string
	Tags                map[string]string
	Properties          object // as they were put, less what only Azure sets
	State               string // "Creating", "Succeeded"
	Created             time.Time
	Keys                []string
	Containers          map[string]*container
	Hidden              int // reads that do not see it yet
	Foreign             bool
}

type container struct {
	Name     string
	Metadata map[string]string
	Public   string // "None", "Blob", "Container"
	ETag     string
	Modified time.Time
	Gone     time.Time // when it was deleted; its name is blocked for ContainerLag
	Blobs    map[string]*blob
	Staged   map[string]map[string]*blob // blocks by blob name and block id
}

var accountName = regexp.MustCompile(`^[a-z0-9]{3,24}$`)

func (a *storageAccount) id() string {
	return groupID(a.Subscription, a.Group) + "/providers/Microsoft.Storage/storageAccounts/" + a.Name
}

// endpoint is the address of the account's blobs, with a slash at its end.
func (a *storageAccount) endpoint(base string) string { return base + "/blob/" + a.Name + "/" }

func (a *storageAccount) wire(base string) object {
	p := object{
		"supportsHttpsTrafficOnly": true, "allowBlobPublicAccess": false, "minimumTlsVersion": "TLS1_2", "isHnsEnabled": false,
		"networkAcls": object{"bypass": "AzureServices", "defaultAction": "Allow", "ipRules": []object{}, "virtualNetworkRules": []object{}},
	}
	maps.Copy(p, a.Properties)
	p["provisioningState"], p["creationTime"], p["primaryLocation"], p["statusOfPrimary"] = a.State, wireTime(a.Created), a.Location, "available"
	p["primaryEndpoints"] = object{"blob": a.endpoint(base)}
	return object{
		"id": a.id(), "name": a.Name, "type": "Microsoft.Storage/storageAccounts", "location": a.Location, "kind": a.Kind,
		"sku": object{"name": a.Sku, "tier": "Standard"}, "tags": tagsOf(a.Tags), "properties": p,
	}
}

// flag reads a boolean property; def is what Azure takes when it was not given.
func (a *storageAccount) flag(name string, def bool) bool {
	if v, ok := a.Properties[name].(bool); ok {
		return v
	}
	return def
}

func (c *Cloud) accountByID(id string) *storageAccount {
	for _, a := range c.state.Accounts {
		if strings.EqualFold(a.id(), id) {
			return a
		}
	}
	return nil
}

// accountsOf lists the accounts of a subscription, or of one group of it, by name.
func (c *Cloud) accountsOf(sub, group string) []*storageAccount {
	var out []*storageAccount
	for _, name := range slices.Sorted(maps.Keys(c.state.Accounts)) {
		a := c.state.Accounts[name]
		if a.Subscription == sub && (group == "" || strings.EqualFold(a.Group, group)) {
			out = append(out, a)
		}
	}
	return out
}

func (c *Cloud) checkName(k *call) (answer, *refusal) {
	_, fail := c.inSubscription(k, "Microsoft.Storage/checkNameAvailability/read", "/subscriptions/"+k.P["sub"])
	if fail != nil {
		return answer{}, fail
	}
	var in struct{ Name, Type string }
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	switch {
	case !accountName.MatchString(in.Name):
		return jsonAnswer(http.StatusOK, object{"nameAvailable": false, "reason": "AccountNameInvalid", "message": in.Name + " is not a valid storage account name. Storage account name must be between 3 and 24 characters in length and use numbers and lower-case letters only."})
	case c.state.Accounts[in.Name] != nil:
		return jsonAnswer(http.StatusOK, object{"nameAvailable": false, "reason": "AlreadyExists", "message": "The storage account named " + in.Name + " is already taken."})
	}
	return jsonAnswer(http.StatusOK, object{"nameAvailable": true})
}

type accountBody struct {
	Location, Kind string
	Sku            struct{ Name string }
	Tags           map[string]string
	Properties     object
}

// putAccount begins to create an account, or changes one that is there: the same call does both.
func (c *Cloud) putAccount(k *call) (answer, *refusal) {
	s, fail := c.inSubscription(k, "Microsoft.Storage/storageAccounts/write", k.R.URL.Path)
	if fail != nil {
		return answer{}, fail
	}
	var in accountBody
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	group := s.Groups[strings.ToLower(k.P["group"])]
	if fail := c.mayPut(k, s, group, in); fail != nil {
		return answer{}, fail
	}
	loc, _ := location(in.Location)
	if a := c.state.Accounts[k.P["account"]]; a != nil {
		if a.Location != loc {
			return answer{}, refuse(http.StatusConflict, "InvalidResourceLocation", "The resource '%s' already exists in location '%s' in resource group '%s'. A resource with the same name cannot be created in location '%s'.", a.Name, a.Location, a.Group, loc)
		}
		a.change(in)
		return jsonAnswer(http.StatusOK, a.wire(c.state.Base))
	}
	a := &storageAccount{
		Name: k.P["account"], Subscription: s.ID, Group: group.Name, Location: loc, Kind: in.Kind, Sku: in.Sku.Name, State: "Creating", Created: c.opt.Now(),
		Keys: []string{randomText(32), randomText(32)}, Containers: map[string]*container{}, Properties: object{}, Hidden: c.opt.ReadLag,
	}
	a.change(in)
	c.state.Accounts[a.Name] = a
	op := c.begin("account", a.id())
	if c.opt.Polls == 0 {
		return jsonAnswer(http.StatusOK, a.wire(c.state.Base))
	}
	return c.accepted("/subscriptions/"+s.ID+"/providers/Microsoft.Storage/locations/"+loc+"/asyncoperations/"+op.ID, k)
}

// mayPut checks what does not depend on whether the account is there.
func (c *Cloud) mayPut(k *call, s *subscription, group *resourceGroup, in accountBody) *refusal {
	if s.provider("Microsoft.Storage").State != "Registered" {
		return refuse(http.StatusConflict, "MissingSubscriptionRegistration", "The subscription is not registered to use namespace 'Microsoft.Storage'. See https://aka.ms/rps-not-found for how to register subscriptions.")
	}
	if group == nil {
		return noGroup(k)
	}
	if group.State == "Deleting" {
		return refuse(http.StatusConflict, "ResourceGroupBeingDeleted", "The resource group '%s' is in deprovisioning state and cannot perform this operation.", group.Name)
	}
	if fail := c.writable(s, k.R.URL.Path); fail != nil {
		return fail
	}
	if !accountName.MatchString(k.P["account"]) {
		return refuse(http.StatusBadRequest, "AccountNameInvalid", "%s is not a valid storage account name.", k.P["account"])
	}
	if _, ok := location(in.Location); !ok {
		return refuse(http.StatusBadRequest, "LocationNotAvailableForResourceType", "The provided location '%s' is not available for resource type 'Microsoft.Storage/storageAccounts'.", in.Location)
	}
	if in.Sku.Name == "" || in.Kind == "" {
		return refuse(http.StatusBadRequest, "InvalidRequestPropertyValue", "The sku and the kind are required.")
	}
	if len(in.Tags) > 15 {
		return refuse(http.StatusBadRequest, "InvalidTags", "A storage account takes 15 tags at most.")
	}
	switch a := c.state.Accounts[k.P["account"]]; {
	case a == nil:
	case a.Subscription != s.ID:
		return refuse(http.StatusConflict, "StorageAccountAlreadyTaken", "The storage account named %s is already taken.", a.Name)
	case !strings.EqualFold(a.Group, group.Name):
		return refuse(http.StatusConflict, "StorageAccountInAnotherResourceGroup", "The account %s is already in another resource group in this subscription.", a.Name)
	case a.State == "Creating":
		return refuse(http.StatusConflict, "StorageAccountOperationInProgress", "An operation is currently performing on this storage account that requires exclusive access.")
	}
	return nil
}

func (a *storageAccount) change(in accountBody) {
	if in.Tags != nil {
		a.Tags = tagsOf(in.Tags)
	}
	if in.Sku.Name != "" {
		a.Sku = in.Sku.Name
	}
	maps.Copy(a.Properties, in.Properties)
}

// liveAccount finds the account in the path.
func (c *Cloud) liveAccount(k *call, action string) (*storageAccount, *refusal) {
	s, fail := c.inSubscription(k, action, k.R.URL.Path)
	if fail != nil {
		return nil, fail
	}
	return c.accountIn(k, s)
}

func (c *Cloud) accountIn(k *call, s *subscription) (*storageAccount, *refusal) {
	c.settle(groupID(s.ID, k.P["group"]))
	if s.Groups[strings.ToLower(k.P["group"])] == nil {
		return nil, noGroup(k)
	}
	a := c.state.Accounts[strings.ToLower(k.P["account"])]
	if a == nil || a.Subscription != s.ID || !strings.EqualFold(a.Group, k.P["group"]) {
		return nil, noAccount(k)
	}
	c.settle(a.id())
	return a, nil
}

func noAccount(k *call) *refusal {
	return refuse(http.StatusNotFound, "ResourceNotFound", "The Resource 'Microsoft.Storage/storageAccounts/%s' under resource group '%s' was not found.", k.P["account"], k.P["group"])
}

func (c *Cloud) getAccount(k *call) (answer, *refusal) {
	a, fail := c.liveAccount(k, "Microsoft.Storage/storageAccounts/read")
	if fail == nil && hides(&a.Hidden) {
		fail = noAccount(k)
	}
	if fail != nil {
		return answer{}, fail
	}
	return jsonAnswer(http.StatusOK, a.wire(c.state.Base))
}

func (c *Cloud) listAccounts(k *call) (answer, *refusal) {
	s, fail := c.inSubscription(k, "Microsoft.Storage/storageAccounts/read", strings.TrimSuffix(strings.ToLower(k.R.URL.Path), "/providers/microsoft.storage/storageaccounts"))
	if fail != nil {
		return answer{}, fail
	}
	out := []object{}
	for _, a := range c.accountsOf(s.ID, k.P["group"]) {
		if !hides(&a.Hidden) {
			out = append(out, a.wire(c.state.Base))
		}
	}
	return page(k, c.state.Base, out, 3)
}

func (c *Cloud) patchAccount(k *call) (answer, *refusal) {
	a, fail := c.liveAccount(k, "Microsoft.Storage/storageAccounts/write")
	if fail != nil {
		return answer{}, fail
	}
	var in accountBody
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	if fail := c.writable(c.state.Subscriptions[a.Subscription], a.id()); fail != nil {
		return answer{}, fail
	}
	a.change(in)
	return jsonAnswer(http.StatusOK, a.wire(c.state.Base))
}

func (c *Cloud) deleteAccount(k *call) (answer, *refusal) {
	a, fail := c.liveAccount(k, "Microsoft.Storage/storageAccounts/delete")
	if fail != nil && fail.code == "ResourceNotFound" {
		return empty(http.StatusNoContent)
	}
	if fail != nil {
		return answer{}, fail
	}
	if fail := c.lockedWithin(a.id()); fail != nil {
		return answer{}, fail
	}
	if a.State == "Creating" {
		return answer{}, refuse(http.StatusConflict, "StorageAccountOperationInProgress", "An operation is currently performing on this storage account that requires exclusive access.")
	}
	c.dropAccount(a)
	return empty(http.StatusOK)
}

// dropAccount deletes an account, its blobs, and the role assignments on it.
func (c *Cloud) dropAccount(a *storageAccount) {
	for _, ct := range a.Containers {
		c.dropBlobs(ct)
	}
	delete(c.state.Accounts, a.Name)
	scope := normal(a.id())
	c.state.Grants = slices.DeleteFunc(c.state.Grants, func(g *grant) bool { return g.Scope == scope || strings.HasPrefix(g.Scope, scope+"/") })
}

func (c *Cloud) listKeys(k *call) (answer, *refusal) {
	a, fail := c.liveAccount(k, "Microsoft.Storage/storageAccounts/listKeys/action")
	if fail != nil {
		return answer{}, fail
	}
	keys := []object{}
	for i, value := range a.Keys {
		keys = append(keys, object{"keyName": fmt.Sprintf("key%d", i+1), "value": value, "permissions": "FULL"})
	}
	return jsonAnswer(http.StatusOK, object{"keys": keys})
}
