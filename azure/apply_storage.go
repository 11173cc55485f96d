package azure

import (
	"context"
	"strings"
	"time"

	"outlay"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/storage/armstorage/v2"
)

// await waits for a long-running operation. Its first answer is there already; the end of the call's time leaves the
// outcome unknown.
func await[T any](ctx context.Context, p *Provider, poller *runtime.Poller[T]) error {
	for !poller.Done() {
		resp, err := poller.Poll(ctx)
		if err != nil {
			return err
		}
		asked := time.Duration(0)
		if resp.Header.Get("Retry-After") != "" {
			asked = min(waitAsked(resp.Header), time.Minute)
		}
		if err := resp.Body.Close(); err != nil { // the SDK has read it
			return err
		}
		if poller.Done() {
			break
		}
		if err := p.pause(ctx, asked); err != nil {
			return err
		}
	}
	_, err := poller.Result(ctx)
	return err
}

// taken is a failure after Azure took a request on: whatever was wrong with looking at the operation, what was asked for
// may have happened.
func taken(err error) error {
	e := *outlay.AsError(err)
	e.Outcome = outlay.Unknown
	return &e
}

// createGroup makes the resource group. Azure's PUT would replace the tags of one that is there, so that a look says
// first that there is none (reliability.md §3.4).
func (w *applier) createGroup(ctx context.Context) (outlay.Resource, error) {
	n := w.n
	n.Group = w.c.Name
	client, err := w.ses.once().groups()
	if err != nil {
		return outlay.Resource{}, err
	}
	r, found, err := w.findGroup(ctx, n)
	if err != nil || found {
		return r, err
	}
	tags := w.tags()
	got, err := client.CreateOrUpdate(ctx, n.Group, armresources.ResourceGroup{Location: to(orElse(w.c.To[propRegion], n.Region)), Tags: pointers(tags)}, nil)
	if err != nil {
		return outlay.Resource{}, failure(err, call{Action: actGroupWrite, Resource: n.groupID(), Doing: "creating the resource group"})
	}
	return outlay.Resource{
		State: outlay.StateCreated, ProviderID: n.groupID(), Owner: marks(tags),
		Properties: map[string]string{propRegion: region(orElse(text(got.Location), n.Region))},
	}, nil
}

// findGroup reads the group of our name; one that is not ours stops the change.
func (w *applier) findGroup(ctx context.Context, n names) (outlay.Resource, bool, error) {
	o := w.observer(n)
	o.group(ctx)
	if err := o.failed[string(kindGroup)]; err != nil {
		return outlay.Resource{}, false, err
	}
	r, found := o.seen.Find(kindGroup, n.Group)
	if found && r.State == outlay.StateForeign {
		return outlay.Resource{}, false, notOurs("resource group", n.Group)
	}
	return r, found, nil
}

// observer looks at single resources the way Observe does.
func (w *applier) observer(n names) *observer {
	return &observer{p: w.p, ses: w.ses, a: w.a, s: w.s, n: n, seen: &outlay.Observation{At: w.p.opts.Clock.Now().UTC(), Unknown: map[string]string{}}, failed: map[string]error{}}
}

// ourAccount finds the source's storage account; one that is not ours stops the change.
func (w *applier) ourAccount(ctx context.Context) (outlay.Resource, bool, error) {
	r, found, err := w.p.findAccount(ctx, w.ses, w.s, w.n)
	if err == nil && found && r.State == outlay.StateForeign {
		err = notOurs("storage account", w.n.Account)
	}
	return r, found && err == nil, err
}

// putAccount makes the storage account, or mends its settings.
func (w *applier) putAccount(ctx context.Context) (outlay.Resource, error) {
	live, found, err := w.ourAccount(ctx)
	switch {
	case err != nil:
		return outlay.Resource{}, err
	case w.c.Action == outlay.ActionUpdate && !found:
		return outlay.Resource{}, goneMeanwhile("storage account", w.n.Account)
	case w.c.Action == outlay.ActionUpdate:
		return w.updateAccount(ctx, live)
	case found && live.Properties[propState] == "":
		return live, nil
	case found:
		return outlay.Resource{}, &outlay.Error{Code: outlay.CodeUnavailable, Outcome: outlay.Unknown, Message: "the storage account " + w.n.Account + " is still being made", Fix: byItself}
	}
	if err := w.nameFree(ctx); err != nil {
		return outlay.Resource{}, err
	}
	return w.createAccount(ctx)
}

// nameFree asks whether anybody has the name, which is taken for all the world. A name that is not to be had is not
// ours to look into. Not being allowed to ask is no reason to stop: creating finds it out too.
func (w *applier) nameFree(ctx context.Context) error {
	client, err := w.ses.accounts()
	if err != nil {
		return err
	}
	got, err := client.CheckNameAvailability(ctx, armstorage.AccountCheckNameAvailabilityParameters{Name: to(w.n.Account), Type: to("Microsoft.Storage/storageAccounts")}, nil)
	if err != nil {
		if failed := failure(err, call{Action: actNameCheck, Doing: "checking the storage account's name"}); !isRefusal(failed) {
			return failed
		}
		return nil
	}
	if got.NameAvailable == nil || *got.NameAvailable {
		return nil
	}
	return &outlay.Error{
		Code: outlay.CodeConflict, Outcome: outlay.DefinitelyNot, Message: "creating the storage account: the name " + w.n.Account + " belongs to somebody else",
		Fix: "Deprovision and provision again: that takes another name.",
	}
}

func (w *applier) createAccount(ctx context.Context) (outlay.Resource, error) {
	client, err := w.ses.once().accounts()
	if err != nil {
		return outlay.Resource{}, err
	}
	tags := w.tags()
	c := call{Action: actAccountWrite, Resource: w.n.accountID(), Doing: "creating the storage account"}
	poller, err := client.BeginCreate(ctx, w.n.Group, w.n.Account, armstorage.AccountCreateParameters{
		Kind: to(armstorage.KindStorageV2), SKU: &armstorage.SKU{Name: to(armstorage.SKUNameStandardLRS)}, Location: to(orElse(w.c.To[propRegion], w.n.Region)), Tags: pointers(tags),
		Properties: &armstorage.AccountPropertiesCreateParameters{
			MinimumTLSVersion: to(armstorage.MinimumTLSVersionTLS12), AllowBlobPublicAccess: to(false), EnableHTTPSTrafficOnly: to(true), IsHnsEnabled: to(false),
			PublicNetworkAccess: to(armstorage.PublicNetworkAccessEnabled), AllowSharedKeyAccess: to(w.c.To[propKeys] != off), AccessTier: to(armstorage.AccessTierHot),
		},
	}, nil)
	if err != nil {
		return outlay.Resource{}, failure(err, c)
	}
	if err := await(ctx, w.p, poller); err != nil {
		return outlay.Resource{}, taken(failure(err, c))
	}
	made, found, err := w.ourAccount(ctx)
	if err != nil || !found {
		// It was made: only the look at it failed.
		return outlay.Resource{State: outlay.StateCreated, ProviderID: w.n.accountID(), Owner: marks(tags), Properties: map[string]string{propRegion: w.n.Region}}, nil
	}
	made.State = outlay.StateCreated
	return made, nil
}

func (w *applier) updateAccount(ctx context.Context, live outlay.Resource) (outlay.Resource, error) {
	client, err := w.ses.once().accounts()
	if err != nil {
		return outlay.Resource{}, err
	}
	want := armstorage.AccountPropertiesUpdateParameters{MinimumTLSVersion: to(armstorage.MinimumTLSVersionTLS12), AllowBlobPublicAccess: to(false), EnableHTTPSTrafficOnly: to(true)}
	if w.c.To[propKeys] == on {
		want.AllowSharedKeyAccess = to(true)
	}
	got, err := client.Update(ctx, w.n.Group, w.n.Account, armstorage.AccountUpdateParameters{Properties: &want}, nil)
	if err != nil {
		return outlay.Resource{}, failure(err, call{Action: actAccountWrite, Resource: w.n.accountID(), Doing: "repairing the storage account's settings"})
	}
	r := accountResource(got.Account)
	r.ProviderID, r.Created, r.Owner = live.ProviderID, live.Created, live.Owner
	return r, nil
}

// ourContainer finds the source's container; one that is not ours stops the change.
func (w *applier) ourContainer(ctx context.Context) (outlay.Resource, bool, error) {
	r, found, err := w.p.findContainer(ctx, w.ses, w.s, w.n)
	if err == nil && found && r.State == outlay.StateForeign {
		err = notOurs("container", w.n.Container)
	}
	return r, found && err == nil, err
}

// putContainer makes the container, or makes it private again.
func (w *applier) putContainer(ctx context.Context) (outlay.Resource, error) {
	live, found, err := w.ourContainer(ctx)
	if err != nil {
		return outlay.Resource{}, err
	}
	client, err := w.ses.once().containers()
	if err != nil {
		return outlay.Resource{}, err
	}
	private := armstorage.BlobContainer{ContainerProperties: &armstorage.ContainerProperties{PublicAccess: to(armstorage.PublicAccessNone)}}
	c := call{Action: actContainerWrite, Resource: w.n.containerID(), Doing: "creating the container"}
	switch {
	case w.c.Action == outlay.ActionUpdate && !found:
		return outlay.Resource{}, goneMeanwhile("container", w.n.Container)
	case w.c.Action == outlay.ActionUpdate:
		c.Doing = "making the container private" // what is not named stays: the metadata, whoever put it there
		if _, err := client.Update(ctx, w.n.Group, w.n.Account, w.n.Container, private, nil); err != nil {
			return outlay.Resource{}, failure(err, c)
		}
		live.Properties = map[string]string{propPublic: off}
		return live, nil
	case found:
		return live, nil
	}
	tags := w.tags()
	private.ContainerProperties.Metadata = metadata(tags)
	if _, err := client.Create(ctx, w.n.Group, w.n.Account, w.n.Container, private, nil); err != nil {
		return outlay.Resource{}, failure(err, c)
	}
	return outlay.Resource{State: outlay.StateCreated, ProviderID: w.n.containerID(), Owner: marks(tags), Properties: map[string]string{propPublic: off}}, nil
}

// kept is what stops a deletion right before it happens.
func kept(what, name, why string) error {
	return &outlay.Error{
		Code: outlay.CodeConflict, Outcome: outlay.DefinitelyNot, Message: "the " + what + " " + name + " is not deleted: " + why,
		Fix: "Look at it in the Azure portal, or deprovision with the files kept. Outlay does not delete what it did not create.",
	}
}

// deleteContainer deletes the container with everything in it, once nothing in it is somebody else's.
func (w *applier) deleteContainer(ctx context.Context) (outlay.Resource, error) {
	gone := outlay.Resource{State: outlay.StateDeleted, ProviderID: w.n.containerID()}
	account, _, err := w.ourAccount(ctx)
	if err != nil {
		return outlay.Resource{}, err
	}
	found, err := w.doomedContainer(ctx, account)
	if err != nil || !found {
		return gone, err
	}
	client, err := w.ses.once().containers()
	if err != nil {
		return outlay.Resource{}, err
	}
	_, err = client.Delete(ctx, w.n.Group, w.n.Account, w.n.Container, nil)
	if !accepted(err) && !isGone(err) {
		return outlay.Resource{}, failure(err, call{Action: actContainerDelete, Resource: w.n.containerID(), Doing: "deleting the container"})
	}
	return gone, nil
}

// doomedContainer checks once more, right before the container goes, that it is ours by ledger, marks and contents
// (reliability.md M12). It is false when the container is gone already.
func (w *applier) doomedContainer(ctx context.Context, account outlay.Resource) (bool, error) {
	live, found, err := w.ourContainer(ctx)
	if err != nil || !found {
		return false, err
	}
	if why := w.p.mayDelete(w.s, live); why != "" {
		return false, kept("container", w.n.Container, why)
	}
	foreign, example := 0, ""
	err = w.p.eachBlob(ctx, w.a, account, w.n, func(b heldBlob) {
		if !isOurBlob(b.name) {
			foreign, example = foreign+1, b.name
		}
	})
	if err != nil {
		return false, err
	}
	if foreign > 0 {
		return false, kept("container", w.n.Container, "it holds "+plural(foreign, "file", "files")+" that Outlay did not put there, such as "+clip(example, 100))
	}
	return true, nil
}

// deleteAccount deletes the storage account with its container, once nothing in it is somebody else's.
func (w *applier) deleteAccount(ctx context.Context) (outlay.Resource, error) {
	gone := outlay.Resource{State: outlay.StateDeleted, ProviderID: w.n.accountID()}
	live, found, err := w.ourAccount(ctx)
	if err != nil || !found {
		return gone, err
	}
	if why := w.p.mayDelete(w.s, live); why != "" {
		return outlay.Resource{}, kept("storage account", w.n.Account, why)
	}
	others, err := w.ses.otherContainers(ctx, w.n)
	if err != nil {
		return outlay.Resource{}, err
	}
	if len(others) > 0 {
		return outlay.Resource{}, kept("storage account", w.n.Account, "it holds "+plural(len(others), "container", "containers")+" that Outlay did not put there, such as "+clip(others[0], 60))
	}
	if _, err := w.doomedContainer(ctx, live); err != nil {
		return outlay.Resource{}, err
	}
	client, err := w.ses.once().accounts()
	if err != nil {
		return outlay.Resource{}, err
	}
	_, err = client.Delete(ctx, w.n.Group, w.n.Account, nil)
	if !accepted(err) && !isGone(err) {
		return outlay.Resource{}, failure(err, call{Action: actAccountDelete, Resource: w.n.accountID(), Doing: "deleting the storage account"})
	}
	return gone, nil
}

// deleteGroup deletes the resource group. Azure deletes everything that is in one, so that it must be empty.
func (w *applier) deleteGroup(ctx context.Context) (outlay.Resource, error) {
	gone := outlay.Resource{State: outlay.StateDeleted, ProviderID: w.n.groupID()}
	live, found, err := w.findGroup(ctx, w.n)
	if err != nil || !found {
		return gone, err
	}
	if why := w.p.mayDelete(w.s, live); why != "" {
		return outlay.Resource{}, kept("resource group", w.n.Group, why)
	}
	others, err := w.ses.otherResources(ctx, w.n)
	if err != nil {
		return outlay.Resource{}, err
	}
	if _, there, err := w.ourAccount(ctx); err != nil {
		return outlay.Resource{}, err
	} else if there {
		others = append(others, w.n.accountID())
	}
	if len(others) > 0 {
		return outlay.Resource{}, kept("resource group", w.n.Group, "it holds "+plural(len(others), "resource", "resources")+", such as "+clip(strings.TrimPrefix(others[0], w.n.groupID()), 100))
	}
	client, err := w.ses.once().groups()
	if err != nil {
		return outlay.Resource{}, err
	}
	c := call{Action: actGroupDelete, Resource: w.n.groupID(), Doing: "deleting the resource group"}
	poller, err := client.BeginDelete(ctx, w.n.Group, nil)
	if err != nil {
		if isGone(err) {
			return gone, nil
		}
		return outlay.Resource{}, failure(err, c)
	}
	if err := await(ctx, w.p, poller); err != nil && !isGone(err) {
		return outlay.Resource{}, taken(failure(err, c))
	}
	return gone, nil
}
