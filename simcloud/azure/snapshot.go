package azure

import (
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// Live is one thing that exists in the cloud.
type Live struct {
	Kind    string // "resource-group", "storage-account", "container", "export", "tag-inheritance", "role-assignment"
	ID      string // resource id
	Name    string
	Tags    map[string]string // of a container: its metadata
	Created time.Time
	Text    string            // exports: the description; role assignments: the role
	Blobs   map[string]string // containers: name → ETag
	Active  bool              // exports: the schedule runs
	Foreign bool              // planted by one of the Plant methods
}

// Snapshot gives everything that lives and that a set-up can make, in the order of kinds and ids. Role assignments are
// those of exports' identities, also where the export is gone. Two snapshots of what nobody touched are equal.
func (c *Cloud) Snapshot() []Live {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []Live
	for _, sub := range slices.Sorted(maps.Keys(c.state.Subscriptions)) {
		s := c.state.Subscriptions[sub]
		for _, name := range slices.Sorted(maps.Keys(s.Groups)) {
			g := s.Groups[name]
			out = append(out, Live{Kind: "resource-group", ID: groupID(s.ID, g.Name), Name: g.Name, Tags: tagsOf(g.Tags), Created: g.Created, Foreign: g.Foreign})
		}
		out = append(out, c.liveAccounts(s.ID)...)
	}
	for _, e := range c.state.Exports {
		out = append(out, Live{Kind: "export", ID: e.id(), Name: e.Name, Created: e.Created, Text: e.Properties.Description, Active: e.active(), Foreign: e.Foreign})
	}
	for _, scope := range slices.Sorted(maps.Keys(c.state.Settings)) {
		t := c.state.Settings[scope]
		out = append(out, Live{Kind: "tag-inheritance", ID: t.Scope, Name: "taginheritance", Created: t.Since})
	}
	for _, g := range c.state.Grants {
		if strings.Contains(g.Scope, "/microsoft.storage/storageaccounts/") && g.Role.Name == "Storage Blob Data Contributor" {
			out = append(out, Live{Kind: "role-assignment", ID: g.ID, Name: g.Principal, Created: g.Created, Text: g.Role.Name})
		}
	}
	slices.SortStableFunc(out, func(a, b Live) int { return strings.Compare(a.Kind+a.ID, b.Kind+b.ID) })
	return out
}

func (c *Cloud) liveAccounts(sub string) []Live {
	var out []Live
	for _, a := range c.accountsOf(sub, "") {
		out = append(out, Live{Kind: "storage-account", ID: a.id(), Name: a.Name, Tags: tagsOf(a.Tags), Created: a.Created, Foreign: a.Foreign})
		for _, name := range slices.Sorted(maps.Keys(a.Containers)) {
			ct := a.Containers[name]
			if !ct.live() {
				continue
			}
			l := Live{Kind: "container", ID: a.id() + "/blobServices/default/containers/" + name, Name: name, Tags: tagsOf(ct.Metadata), Created: ct.Modified, Blobs: map[string]string{}, Foreign: a.Foreign}
			for blob, b := range ct.Blobs {
				l.Blobs[blob] = b.ETag
			}
			out = append(out, l)
		}
	}
	return out
}

// Only is the part of Snapshot of one kind.
func (c *Cloud) Only(kind string) []Live {
	return slices.DeleteFunc(c.Snapshot(), func(l Live) bool { return l.Kind != kind })
}

// PlantGroup makes a resource group that is not ours.
func (c *Cloud) PlantGroup(sub, name, loc string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Subscriptions[strings.ToLower(sub)].Groups[strings.ToLower(name)] = &resourceGroup{
		Name: name, Location: loc, Tags: map[string]string{"owner": "somebody"}, State: "Succeeded", Created: c.opt.Now(), Foreign: true,
	}
	c.persist()
}

// PlantAccount makes a storage account that is not ours, with one container "theirs" and one blob in it: a sweep proves
// with Snapshot that it was not touched. Its group is made where it is missing.
func (c *Cloud) PlantAccount(sub, group, name, loc string) {
	c.mu.Lock()
	s := c.state.Subscriptions[strings.ToLower(sub)]
	missing := s.Groups[strings.ToLower(group)] == nil
	c.mu.Unlock()
	if missing {
		c.PlantGroup(sub, group, loc)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	a := &storageAccount{
		Name: name, Subscription: s.ID, Group: s.Groups[strings.ToLower(group)].Name, Location: loc, Kind: "StorageV2", Sku: "Standard_LRS", State: "Succeeded", Created: c.opt.Now(),
		Keys: []string{randomText(32), randomText(32)}, Containers: map[string]*container{}, Properties: object{}, Tags: map[string]string{"owner": "somebody"}, Foreign: true,
	}
	c.state.Accounts[name] = a
	ct, fail := c.makeContainer(a, "theirs", nil)
	if fail != nil {
		panic("simulated cloud: " + fail.message)
	}
	c.mustStore(ct, "report.csv", []byte("not ours\n"))
	c.persist()
}

// PlantContainer makes a container past all permissions.
func (c *Cloud) PlantContainer(account, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, fail := c.makeContainer(c.mustAccount(account), name, nil); fail != nil {
		panic("simulated cloud: " + fail.message)
	}
	c.persist()
}

// PlantBlob puts a blob into a container, past all permissions.
func (c *Cloud) PlantBlob(account, name, blob string, data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mustStore(c.mustContainer(account, name), blob, data)
	c.persist()
}

// RemoveBlob deletes a blob, past all permissions: a data file that a manifest still names.
func (c *Cloud) RemoveBlob(account, name, blob string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropBlob(c.mustContainer(account, name), blob)
	c.persist()
}

// Blob gives a blob's bytes, past all permissions; nil for none.
func (c *Cloud) Blob(account, name, blob string) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.mustContainer(account, name).Blobs[blob]
	if b == nil {
		return nil
	}
	data, err := os.ReadFile(c.blobPath(b))
	if err != nil {
		panic("simulated cloud: " + err.Error())
	}
	return data
}

// RemoveAccount deletes a storage account and all that is in it, as somebody at the portal would.
func (c *Cloud) RemoveAccount(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropAccount(c.mustAccount(name))
	c.persist()
}

// RemoveContainer deletes a container, as somebody at the portal would.
func (c *Cloud) RemoveContainer(account, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropContainer(c.mustAccount(account), c.mustContainer(account, name))
	c.persist()
}

// RemoveGroup deletes a resource group and all that is in it at once.
func (c *Cloud) RemoveGroup(sub, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	sub = strings.ToLower(sub)
	if g := c.state.Subscriptions[sub].Groups[strings.ToLower(name)]; g != nil {
		g.State = "Deleting"
		c.finish(&longRunning{Kind: "group", Target: groupID(sub, g.Name)})
	}
	c.persist()
}

// SetAccount changes a property of a storage account ("allowSharedKeyAccess", "publicNetworkAccess") or, with the name
// "tags", all its tags, past all permissions: drift by somebody else's hand.
func (c *Cloud) SetAccount(account, property string, value any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.mustAccount(account)
	if tags, ok := value.(map[string]string); ok && property == "tags" {
		a.Tags = tagsOf(tags)
	} else {
		a.Properties[property] = value
	}
	c.persist()
}

// PlantExport makes an active daily export that is not ours, of a data set ("FocusCost") in a format ("Parquet", "Csv"),
// into a container that is made where it is missing, and gives its id.
func (c *Cloud) PlantExport(scope, name, dataset, format, account, containerName string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, yes, now := c.mustAccount(account), true, c.opt.Now().UTC().Truncate(time.Second)
	if a.container(containerName) == nil {
		if _, fail := c.makeContainer(a, containerName, nil); fail != nil {
			panic("simulated cloud: " + fail.message)
		}
	}
	e := &export{Scope: "/" + strings.Trim(scope, "/"), Name: name, ETag: `"` + c.state.ID(15) + `"`, Created: now, Changed: now, CreatedBy: "somebody", Foreign: true, Through: map[string]time.Time{}}
	p := &e.Properties
	p.Definition = exportDefinition{Type: dataset, Timeframe: "MonthToDate", DataSet: &exportDataset{Granularity: "Daily"}}
	if dataset == "FocusCost" {
		p.Definition.DataSet.Configuration = &exportConfiguration{DataVersion: "1.2-preview"}
	}
	p.DeliveryInfo.Destination = destination{Type: "AzureBlob", ResourceID: a.id(), Container: containerName, RootFolderPath: "theirs"}
	p.Schedule = &exportSchedule{Status: "Active", Recurrence: "Daily", RecurrencePeriod: &timePeriod{now.Add(time.Hour), time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC)}}
	p.Format, p.Compression, p.PartitionData, p.Overwrite = format, map[string]string{"Parquet": "snappy", "Csv": "gzip"}[format], &yes, "OverwritePreviousReport"
	c.state.Exports = append(c.state.Exports, e)
	c.persist()
	return e.id()
}

// Unpartition makes an export by its id write one file a run and no manifest, as those set up years ago do.
func (c *Cloud) Unpartition(id string) {
	c.change(id, func(e *export) {
		no := false
		e.Properties.PartitionData, e.Properties.Overwrite = &no, "CreateNewReport"
	})
}

// RemoveExport deletes an export by its id, as somebody at the portal would.
func (c *Cloud) RemoveExport(id string) { c.change(id, c.dropExport) }

// Suspend makes Azure suspend an export by its id, as it does when deliveries keep failing; "" wakes it.
func (c *Cloud) Suspend(id, code string) { c.change(id, func(e *export) { e.Suspended = code }) }

// SetSchedule makes the schedule of an export "Active" or "Inactive".
func (c *Cloud) SetSchedule(id, status string) {
	c.change(id, func(e *export) {
		s := *e.Properties.Schedule
		s.Status = status
		e.Properties.Schedule, e.ETag, e.Changed = &s, `"`+c.state.ID(15)+`"`, c.opt.Now()
	})
}

// Touch changes an export's eTag and nothing else: somebody else saved it.
func (c *Cloud) Touch(id string) {
	c.change(id, func(e *export) { e.ETag = `"` + c.state.ID(15) + `"` })
}

func (c *Cloud) change(id string, do func(*export)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range slices.Clone(c.state.Exports) {
		if strings.EqualFold(e.id(), id) {
			do(e)
		}
	}
	c.persist()
}

func (c *Cloud) mustAccount(name string) *storageAccount {
	a := c.state.Accounts[name]
	if a == nil {
		panic("simulated cloud: no storage account " + name)
	}
	return a
}

func (c *Cloud) mustContainer(account, name string) *container {
	ct := c.mustAccount(account).container(name)
	if ct == nil {
		panic("simulated cloud: no container " + name)
	}
	return ct
}

func (c *Cloud) mustStore(ct *container, name string, data []byte) {
	if _, err := c.store(ct, name, data, c.opt.Now()); err != nil {
		panic("simulated cloud: " + err.Error())
	}
}
