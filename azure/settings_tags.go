package azure

import (
	"context"

	"outlay"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/costmanagement/armcostmanagement/v3"
)

// inheritanceName is how Azure calls the one setting.
const inheritanceName = "taginheritance"

// Where a tag wins that both a resource and its container carry.
const (
	preferResource  = "the resource"
	preferContainer = "the container"
)

// inheritance reads the setting of a scope: on, with who wins, or off.
func (ses session) inheritance(ctx context.Context, scope string) (outlay.Resource, error) {
	r := outlay.Resource{Kind: kindInheritance, Name: inheritanceName, ProviderID: settingID(scope), Properties: map[string]string{propState: off}, State: outlay.StateMissing}
	client, err := ses.settings()
	if err != nil {
		return r, err
	}
	got, err := client.GetByScope(ctx, scope, armcostmanagement.SettingTypeTaginheritance, nil)
	if isGone(err) || statusOf(err) == 204 {
		return r, nil
	}
	if err != nil {
		return r, failure(err, exportCall(actSettingsRead, scope, "reading the tag inheritance"))
	}
	r.State = outlay.StateCreated
	r.Properties = map[string]string{propState: on, propPrefer: preferResource}
	if s, ok := got.SettingClassification.(*armcostmanagement.TagInheritanceSetting); ok && s.Properties != nil && s.Properties.PreferContainerTags != nil && *s.Properties.PreferContainerTags {
		r.Properties[propPrefer] = preferContainer
	}
	return r, nil
}

func settingID(scope string) string {
	return "/" + scope + "/providers/Microsoft.CostManagement/settings/" + inheritanceName
}

// setInheritance turns it on; a resource's own tag wins, so that nothing that is tagged changes.
func (w *applier) setInheritance(ctx context.Context) (outlay.Resource, error) {
	live, err := w.ses.inheritance(ctx, w.n.Scope)
	if err != nil {
		return outlay.Resource{}, err
	}
	if live.Properties[propState] == on {
		return live, nil // whatever wins: somebody chose it
	}
	client, err := w.ses.once().settings()
	if err != nil {
		return outlay.Resource{}, err
	}
	setting := armcostmanagement.TagInheritanceSetting{
		Kind: to(armcostmanagement.SettingsKindTaginheritance), Properties: &armcostmanagement.TagInheritanceProperties{PreferContainerTags: to(false)},
	}
	_, err = client.CreateOrUpdateByScope(ctx, w.n.Scope, armcostmanagement.SettingTypeTaginheritance, &setting, nil)
	if !accepted(err) {
		return outlay.Resource{}, failure(err, exportCall(actSettingsWrite, w.n.Scope, "turning on tag inheritance"))
	}
	live.State, live.Properties = outlay.StateCreated, map[string]string{propState: on, propPrefer: preferResource}
	return live, nil
}
