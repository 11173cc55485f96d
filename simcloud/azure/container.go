package azure

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var containerName = regexp.MustCompile(`^[a-z0-9]([a-z0-9]|-[a-z0-9]){2,62}$`)

func (ct *container) live() bool { return ct.Gone.IsZero() }

func (ct *container) wire(a *storageAccount) object {
	return object{
		"id": a.id() + "/blobServices/default/containers/" + ct.Name, "name": ct.Name, "type": "Microsoft.Storage/storageAccounts/blobServices/containers", "etag": ct.ETag,
		"properties": object{
			"publicAccess": ct.Public, "metadata": tagsOf(ct.Metadata), "lastModifiedTime": wireTime(ct.Modified), "leaseStatus": "Unlocked", "leaseState": "Available",
			"hasImmutabilityPolicy": false, "hasLegalHold": false, "deleted": false, "remainingRetentionDays": 0, "defaultEncryptionScope": "$account-encryption-key", "denyEncryptionScopeOverride": false,
		},
	}
}

// newETag makes an entity tag in Blob's form.
func (c *Cloud) newETag() string { return `"0x8D` + strings.ToUpper(c.state.ID(13)) + `"` }

// makeContainer creates a container or refuses in the words that both ways to it share.
func (c *Cloud) makeContainer(a *storageAccount, name string, metadata map[string]string) (*container, *refusal) {
	if !containerName.MatchString(name) || len(name) > 63 {
		return nil, refuse(http.StatusBadRequest, "InvalidResourceName", "The specified resource name contains invalid characters.")
	}
	if old := a.Containers[name]; old != nil {
		if old.live() {
			return nil, refuse(http.StatusConflict, "ContainerAlreadyExists", "The specified container already exists.")
		}
		if c.opt.Now().Sub(old.Gone) < c.opt.ContainerLag {
			return nil, refuse(http.StatusConflict, "ContainerBeingDeleted", "The specified container is being deleted. Try operation later.")
		}
	}
	ct := &container{Name: name, Metadata: tagsOf(metadata), Public: "None", ETag: c.newETag(), Modified: c.opt.Now(), Blobs: map[string]*blob{}, Staged: map[string]map[string]*blob{}}
	a.Containers[name] = ct
	return ct, nil
}

func (a *storageAccount) container(name string) *container {
	if ct := a.Containers[strings.ToLower(name)]; ct != nil && ct.live() {
		return ct
	}
	return nil
}

func (c *Cloud) putContainer(k *call) (answer, *refusal) {
	a, fail := c.liveAccount(k, "Microsoft.Storage/storageAccounts/blobServices/containers/write")
	if fail != nil {
		return answer{}, fail
	}
	var in struct {
		Properties struct {
			PublicAccess string
			Metadata     map[string]string
		}
	}
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	if in.Properties.PublicAccess != "" && in.Properties.PublicAccess != "None" && !a.flag("allowBlobPublicAccess", false) {
		return answer{}, refuse(http.StatusConflict, "PublicAccessNotPermitted", "Public access is not permitted on this storage account.")
	}
	if ct := a.container(k.P["container"]); ct != nil {
		if in.Properties.Metadata != nil {
			ct.Metadata = tagsOf(in.Properties.Metadata)
		}
		ct.ETag, ct.Modified = c.newETag(), c.opt.Now()
		return jsonAnswer(http.StatusOK, ct.wire(a))
	}
	if k.R.Method == http.MethodPatch {
		return answer{}, noContainer()
	}
	if a.State != "Succeeded" {
		return answer{}, refuse(http.StatusConflict, "StorageAccountIsNotProvisioned", "The storage account provisioning state must be 'Succeeded' before executing the operation.")
	}
	ct, fail := c.makeContainer(a, k.P["container"], in.Properties.Metadata)
	if fail != nil {
		return answer{}, fail
	}
	return jsonAnswer(http.StatusCreated, ct.wire(a))
}

func noContainer() *refusal {
	return refuse(http.StatusNotFound, "ContainerNotFound", "The specified container does not exist.")
}

func (c *Cloud) getContainer(k *call) (answer, *refusal) {
	a, fail := c.liveAccount(k, "Microsoft.Storage/storageAccounts/blobServices/containers/read")
	if fail != nil {
		return answer{}, fail
	}
	ct := a.container(k.P["container"])
	if ct == nil {
		return answer{}, noContainer()
	}
	return jsonAnswer(http.StatusOK, ct.wire(a))
}

func (c *Cloud) deleteContainer(k *call) (answer, *refusal) {
	a, fail := c.liveAccount(k, "Microsoft.Storage/storageAccounts/blobServices/containers/delete")
	if fail != nil {
		return answer{}, fail
	}
	ct := a.container(k.P["container"])
	if ct == nil {
		return empty(http.StatusNoContent)
	}
	if fail := c.locked(a.id() + "/blobServices/default/containers/" + ct.Name); fail != nil {
		return answer{}, fail
	}
	c.dropContainer(a, ct)
	return empty(http.StatusOK)
}

// dropContainer deletes a container and what is in it; its name stays blocked for a while.
func (c *Cloud) dropContainer(a *storageAccount, ct *container) {
	c.dropBlobs(ct)
	ct.Gone = c.opt.Now()
	if c.opt.ContainerLag == 0 {
		delete(a.Containers, ct.Name)
	}
}

// listContainers lists containers in pages of $maxpagesize.
func (c *Cloud) listContainers(k *call) (answer, *refusal) {
	a, fail := c.liveAccount(k, "Microsoft.Storage/storageAccounts/blobServices/containers/read")
	if fail != nil {
		return answer{}, fail
	}
	out := []object{}
	for _, name := range slices.Sorted(maps.Keys(a.Containers)) {
		if ct := a.Containers[name]; ct.live() && strings.HasPrefix(name, k.Query.Get("$filter")) {
			w := ct.wire(a)
			delete(w["properties"].(object), "metadata") // a list does not tell it
			out = append(out, w)
		}
	}
	size, err := strconv.Atoi(k.Query.Get("$maxpagesize"))
	if err != nil || size < 1 {
		size = 3
	}
	return page(k, c.state.Base, out, size)
}
