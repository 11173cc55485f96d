package azure

import (
	"net/http"
	"strings"
	"time"
)

// tagSetting is the tag inheritance of a scope.
type tagSetting struct {
	Scope           string
	PreferContainer bool
	Since           time.Time
}

func (t *tagSetting) wire() object {
	return object{
		"id": t.Scope + "/providers/Microsoft.CostManagement/settings/taginheritance", "name": "taginheritance", "type": "Microsoft.CostManagement/settings", "kind": "taginheritance",
		"properties": object{"preferContainerTags": t.PreferContainer},
	}
}

// settingScope is the scope in the path, where the setting exists: subscription, enrolment and billing profile.
func (c *Cloud) settingScope(k *call, action string) (costScope, *refusal) {
	s, fail := c.scopeOf(k)
	if fail != nil {
		return s, fail
	}
	if s.Kind == "resource-group" || s.Kind == "management-group" {
		return s, refuse(http.StatusBadRequest, "BadRequest", "Settings are not supported for the scope %s.", s.ID)
	}
	if t := k.P["type"]; t != "" && !strings.EqualFold(t, "taginheritance") {
		return s, refuse(http.StatusBadRequest, "BadRequest", "The setting type '%s' is invalid.", t)
	}
	return s, c.needAt(k, s, "Microsoft.CostManagement/settings/"+action)
}

func (c *Cloud) putSetting(k *call) (answer, *refusal) {
	s, fail := c.settingScope(k, "write")
	if fail != nil {
		return answer{}, fail
	}
	var in struct {
		Kind       string
		Properties struct{ PreferContainerTags *bool }
	}
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	if in.Kind != "taginheritance" || in.Properties.PreferContainerTags == nil {
		return answer{}, refuse(http.StatusBadRequest, "BadRequest", "The setting needs the kind taginheritance and preferContainerTags.")
	}
	t := c.state.Settings[normal(s.ID)]
	if t == nil {
		t = &tagSetting{Scope: s.ID, Since: c.opt.Now()}
		c.state.Settings[normal(s.ID)] = t
	}
	t.PreferContainer = *in.Properties.PreferContainerTags
	return jsonAnswer(http.StatusOK, t.wire())
}

func (c *Cloud) getSetting(k *call) (answer, *refusal) {
	s, fail := c.settingScope(k, "read")
	if fail != nil {
		return answer{}, fail
	}
	t := c.state.Settings[normal(s.ID)]
	if t == nil {
		return answer{}, refuse(http.StatusNotFound, "NotFound", "The setting taginheritance was not found at %s.", s.ID)
	}
	return jsonAnswer(http.StatusOK, t.wire())
}

func (c *Cloud) listSettings(k *call) (answer, *refusal) {
	s, fail := c.settingScope(k, "read")
	if fail != nil {
		return answer{}, fail
	}
	out := []object{}
	if t := c.state.Settings[normal(s.ID)]; t != nil {
		out = append(out, t.wire())
	}
	return jsonAnswer(http.StatusOK, object{"value": out})
}

func (c *Cloud) deleteSetting(k *call) (answer, *refusal) {
	s, fail := c.settingScope(k, "delete")
	if fail != nil {
		return answer{}, fail
	}
	if c.state.Settings[normal(s.ID)] == nil {
		return empty(http.StatusNoContent)
	}
	delete(c.state.Settings, normal(s.ID))
	return empty(http.StatusOK)
}

// inherits tells whether tags of subscriptions and groups reach the rows of a subscription in a month that ends then:
// from the month on in which it was switched on.
func (c *Cloud) inherits(sub string, end time.Time) bool {
	for _, scope := range []string{"/subscriptions/" + sub, c.state.Subscriptions[sub].Billing} {
		if t := c.state.Settings[scope]; t != nil && t.Since.Before(end) {
			return true
		}
	}
	return false
}
