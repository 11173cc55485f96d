package azure

import (
	"context"
	"slices"
	"strings"

	"outlay"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/storage/armstorage/v2"
)

// How settings of the storage account are written as text.
const (
	on             = "on"
	off            = "off"
	networkOpen    = "open"
	networkTrusted = "firewall, Azure services pass"
	networkClosed  = "firewall, Azure services do not pass"
	networkOff     = "disabled"
)

// account looks for the storage account.
func (o *observer) account(ctx context.Context) {
	r, found, err := o.p.findAccount(ctx, o.ses, o.s, o.n)
	switch {
	case err != nil:
		o.unknown(string(kindAccount), err)
	case found:
		o.add(r)
	}
}

// findAccount reads the storage account of our name, with foreign for one that does not bear our marks.
func (p *Provider) findAccount(ctx context.Context, ses session, s *outlay.Source, n names) (outlay.Resource, bool, error) {
	client, err := ses.accounts()
	if err != nil {
		return outlay.Resource{}, false, err
	}
	got, err := client.GetProperties(ctx, n.Group, n.Account, nil)
	if isGone(err) {
		return outlay.Resource{}, false, nil
	}
	if err != nil {
		return outlay.Resource{}, false, failure(err, call{Action: actAccountRead, Resource: n.accountID(), Doing: "looking for the storage account"})
	}
	r := accountResource(got.Account)
	r.Name, r.ProviderID = n.Account, n.accountID() // Azure's answers differ in letter case
	if !p.ours(s, r.Owner) {
		r.State = outlay.StateForeign
	}
	return r, true, nil
}

// accountResource is a storage account as a Resource, with its settings as text.
func accountResource(a armstorage.Account) outlay.Resource {
	r := outlay.Resource{
		Kind: kindAccount, Name: text(a.Name), ProviderID: text(a.ID), Owner: marks(texts(a.Tags)),
		Properties: map[string]string{propRegion: region(text(a.Location))},
	}
	p := a.Properties
	if p == nil {
		return r
	}
	if p.CreationTime != nil {
		r.Created = p.CreationTime.UTC()
	}
	r.Properties[propPublic] = onOff(p.AllowBlobPublicAccess, true)
	r.Properties[propHTTPS] = onOff(p.EnableHTTPSTrafficOnly, true)
	r.Properties[propKeys] = onOff(p.AllowSharedKeyAccess, true)
	r.Properties[propTLS] = text(p.MinimumTLSVersion)
	r.Properties[propNetwork] = network(p)
	if p.AllowedCopyScope != nil && *p.AllowedCopyScope != "" {
		r.Properties[propCopy] = string(*p.AllowedCopyScope)
	}
	if p.PrimaryEndpoints != nil && p.PrimaryEndpoints.Blob != nil {
		r.Properties[propBlobURL] = *p.PrimaryEndpoints.Blob
	}
	if p.ProvisioningState != nil && *p.ProvisioningState != armstorage.ProvisioningStateSucceeded {
		r.Properties[propState] = string(*p.ProvisioningState)
	}
	return r
}

// network says whether deliveries get through: they come from Azure's own services.
func network(p *armstorage.AccountProperties) string {
	if p.PublicNetworkAccess != nil && *p.PublicNetworkAccess == armstorage.PublicNetworkAccessDisabled {
		return networkOff
	}
	if p.NetworkRuleSet == nil || p.NetworkRuleSet.DefaultAction == nil || *p.NetworkRuleSet.DefaultAction == armstorage.DefaultActionAllow {
		return networkOpen
	}
	if p.NetworkRuleSet.Bypass != nil && strings.Contains(string(*p.NetworkRuleSet.Bypass), string(armstorage.BypassAzureServices)) {
		return networkTrusted
	}
	return networkClosed
}

// container looks for the container in it.
func (o *observer) container(ctx context.Context) {
	r, found, err := o.p.findContainer(ctx, o.ses, o.s, o.n)
	switch {
	case err != nil:
		o.unknown(string(kindContainer), err)
	case found:
		o.add(r)
	}
}

func (p *Provider) findContainer(ctx context.Context, ses session, s *outlay.Source, n names) (outlay.Resource, bool, error) {
	client, err := ses.containers()
	if err != nil {
		return outlay.Resource{}, false, err
	}
	got, err := client.Get(ctx, n.Group, n.Account, n.Container, nil)
	if isGone(err) {
		return outlay.Resource{}, false, nil
	}
	if err != nil {
		return outlay.Resource{}, false, failure(err, call{Action: actContainerRead, Resource: n.accountID(), Doing: "looking for the container"})
	}
	r := outlay.Resource{Kind: kindContainer, Name: n.Container, ProviderID: n.containerID(), Owner: map[string]string{}, Properties: map[string]string{propPublic: off}}
	if c := got.ContainerProperties; c != nil {
		if c.Deleted != nil && *c.Deleted {
			return outlay.Resource{}, false, nil // kept by soft delete only
		}
		r.Owner = marks(texts(c.Metadata))
		if c.PublicAccess != nil && *c.PublicAccess != armstorage.PublicAccessNone {
			r.Properties[propPublic] = strings.ToLower(string(*c.PublicAccess))
		}
	}
	if !p.ours(s, r.Owner) {
		r.State = outlay.StateForeign
	}
	return r, true, nil
}

// What could not be read of contents, in Observation.Unknown.
const (
	partContainers = "containers"
	partGroup      = "group contents"
)

// contents counts what would be deleted, and what in there is not ours.
func (o *observer) contents(ctx context.Context) {
	if account, ok := o.seen.Find(kindAccount, o.n.Account); ok {
		others, err := o.otherContainers(ctx)
		if err != nil {
			o.unknown(partContainers, err)
		}
		o.setForeign(account, int64(len(others)))
		o.countBlobs(ctx, account)
	}
	if group, ok := o.seen.Find(kindGroup, o.n.Group); ok {
		others, err := o.ses.otherResources(ctx, o.n)
		if err != nil {
			o.unknown(partGroup, err)
		}
		o.setForeign(group, int64(len(others)))
	}
}

func (o *observer) setForeign(r outlay.Resource, n int64) {
	for i := range o.seen.Resources {
		if o.seen.Resources[i].Key() == r.Key() {
			o.seen.Resources[i].Foreign = n
		}
	}
}

// otherContainers names the containers of the storage account that are not ours.
func (o *observer) otherContainers(ctx context.Context) ([]string, error) {
	return o.ses.otherContainers(ctx, o.n)
}

func (ses session) otherContainers(ctx context.Context, n names) ([]string, error) {
	client, err := ses.containers()
	if err != nil {
		return nil, err
	}
	var out []string
	pages := client.NewListPager(n.Group, n.Account, nil)
	for pages.More() {
		page, err := pages.NextPage(ctx)
		if isGone(err) {
			return nil, nil
		}
		if err != nil {
			return nil, failure(err, call{Action: actContainerRead, Resource: n.accountID(), Doing: "listing the containers of the storage account"})
		}
		for _, c := range page.Value {
			if name := text(c.Name); name != n.Container && (c.Properties == nil || c.Properties.Deleted == nil || !*c.Properties.Deleted) {
				out = append(out, name)
			}
		}
	}
	return out, nil
}

// otherResources are the ids of what else is in the resource group.
func (ses session) otherResources(ctx context.Context, n names) ([]string, error) {
	client, err := ses.resources()
	if err != nil {
		return nil, err
	}
	var out []string
	pages := client.NewListByResourceGroupPager(n.Group, nil)
	for pages.More() {
		page, err := pages.NextPage(ctx)
		if isGone(err) {
			return nil, nil
		}
		if err != nil {
			return nil, failure(err, call{Action: actResourcesRead, Resource: n.groupID(), Doing: "listing what is in the resource group"})
		}
		for _, r := range page.Value {
			if id := text(r.ID); !strings.EqualFold(id, n.accountID()) {
				out = append(out, id)
			}
		}
	}
	return out, nil
}

// countBlobs counts and sizes what the container holds, and what in it lies outside our folders.
func (o *observer) countBlobs(ctx context.Context, account outlay.Resource) {
	if _, there := o.seen.Find(kindContainer, o.n.Container); !there {
		return
	}
	r := outlay.Resource{Kind: kindBlobs, Name: o.n.Container, Properties: map[string]string{}}
	months := map[string]bool{}
	err := o.p.eachBlob(ctx, o.a, account, o.n, func(b heldBlob) {
		r.Objects++
		r.Bytes += b.size
		if !isOurBlob(b.name) {
			r.Foreign++
			r.Properties["foreign"] = b.name
		}
		if m := monthOf(b.name); m != "" {
			months[m] = true
		}
	})
	if err != nil {
		o.unknown(string(kindBlobs), err)
		return
	}
	r.Properties["months"] = plural(len(months), "month", "months")
	o.add(r)
}

// heldBlob is one blob of the container.
type heldBlob struct {
	name string
	size int64
}

// isOurBlob tells whether a name lies in one of our folders.
func isOurBlob(name string) bool {
	root, _, ok := strings.Cut(name, "/")
	return ok && slices.Contains([]string{mainRoot, amortizedRoot}, root)
}

// monthOf is the month of the period folder in a delivered blob's name (clouds.md §3.5), "" when it has none.
func monthOf(name string) string {
	if m := periodFolder.FindStringSubmatch(name); m != nil {
		return m[1]
	}
	return ""
}

// eachBlob lists the container.
func (p *Provider) eachBlob(ctx context.Context, a *outlay.CloudAccount, account outlay.Resource, n names, take func(heldBlob)) error {
	client, err := p.blobs(ctx, a, orElse(account.Properties[propBlobURL], p.accountURL(n.Account)))
	if err != nil {
		return err
	}
	pages := client.NewListBlobsFlatPager(n.Container, nil)
	for pages.More() {
		page, err := pages.NextPage(ctx)
		if isGone(err) {
			return nil
		}
		if err != nil {
			return failure(err, call{Action: actBlobsRead, Resource: n.containerID(), Doing: "listing the delivered files"})
		}
		if page.Segment == nil {
			continue
		}
		for _, b := range page.Segment.BlobItems {
			held := heldBlob{name: text(b.Name)}
			if b.Properties != nil && b.Properties.ContentLength != nil {
				held.size = *b.Properties.ContentLength
			}
			take(held)
		}
	}
	return nil
}
