package azure

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// subscription is where resources live and what is billed.
type subscription struct {
	ID, Name  string
	Tenant    string
	QuotaID   string // "EnterpriseAgreement_2014-09-01": tells the offer
	State     string // "Enabled", "Warned", "Disabled"
	Parent    string // management group, lower case; "" for none
	Billing   string // scope of the enrolment or billing profile that pays; "" when it pays for itself
	Created   time.Time
	Providers map[string]*registration  // by namespace, lower case
	Groups    map[string]*resourceGroup // by name, lower case
}

// registration is how a resource provider stands in a subscription.
type registration struct {
	Namespace string
	State     string // "NotRegistered", "Registering", "Registered"
	Polls     int    // reads until Registered
	Refusals  int    // exports still refused after that
}

// AddSubscription adds a subscription. quotaID tells its offer: one beginning with "EnterpriseAgreement_" or "MCA" has
// FocusCost, "PayAsYouGo_" and "Internal_" only Usage (clouds.md §3.2). Added again, it changes the name and offer.
func (c *Cloud) AddSubscription(tenant, id, name, quotaID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.Tenants[tenant] == nil {
		panic("simulated cloud: no tenant " + tenant)
	}
	id = strings.ToLower(id)
	if s := c.state.Subscriptions[id]; s != nil {
		s.Name, s.QuotaID = name, quotaID
		c.persist()
		return
	}
	s := &subscription{
		ID: id, Name: name, Tenant: tenant, QuotaID: quotaID, State: "Enabled", Created: c.opt.Now(),
		Providers: map[string]*registration{}, Groups: map[string]*resourceGroup{},
	}
	for _, ns := range []string{"Microsoft.Storage", "Microsoft.CostManagement", "Microsoft.Authorization", "Microsoft.Resources"} {
		s.Providers[strings.ToLower(ns)] = &registration{Namespace: ns, State: "Registered"}
	}
	c.state.Subscriptions[id] = s
	c.persist()
}

// SetProvider sets the registration state of a namespace in a subscription: "NotRegistered" or "Registered".
func (c *Cloud) SetProvider(sub, namespace, state string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Subscriptions[strings.ToLower(sub)].Providers[strings.ToLower(namespace)] = &registration{Namespace: namespace, State: state}
	c.persist()
}

// Provider gives the registration state of a namespace in a subscription.
func (c *Cloud) Provider(sub, namespace string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.state.Subscriptions[strings.ToLower(sub)].Providers[strings.ToLower(namespace)]; r != nil {
		return r.State
	}
	return "NotRegistered"
}

// SetSubscriptionState makes a subscription "Disabled", "Warned" or "Enabled".
func (c *Cloud) SetSubscriptionState(sub, state string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Subscriptions[strings.ToLower(sub)].State = state
	c.persist()
}

// subscriptionOf finds the subscription in the path. One of another tenant, or none, is refused alike.
func (c *Cloud) subscriptionOf(k *call, id string) (*subscription, *refusal) {
	s := c.state.Subscriptions[strings.ToLower(id)]
	if s == nil {
		return nil, refuse(http.StatusNotFound, "SubscriptionNotFound", "The subscription '%s' could not be found.", id)
	}
	if s.Tenant != k.Caller.Tenant {
		return nil, refuse(http.StatusUnauthorized, "InvalidAuthenticationTokenTenant", "The access token is from the wrong issuer. It must match the tenant associated with this subscription.")
	}
	return s, nil
}

// inSubscription finds the subscription in the path and checks one action at a scope.
func (c *Cloud) inSubscription(k *call, action, scope string) (*subscription, *refusal) {
	s, fail := c.subscriptionOf(k, k.P["sub"])
	if fail != nil {
		return nil, fail
	}
	return s, c.need(k, action, scope)
}

func (s *subscription) wire() object {
	return object{
		"id": "/subscriptions/" + s.ID, "subscriptionId": s.ID, "displayName": s.Name, "tenantId": s.Tenant, "state": s.State, "authorizationSource": "RoleBased",
		"subscriptionPolicies": object{"locationPlacementId": "Public_2014-09-01", "quotaId": s.QuotaID, "spendingLimit": "Off"},
	}
}

func (c *Cloud) getSubscription(k *call) (answer, *refusal) {
	s, fail := c.inSubscription(k, "Microsoft.Resources/subscriptions/read", "/subscriptions/"+k.P["sub"])
	if fail != nil {
		return answer{}, fail
	}
	return jsonAnswer(http.StatusOK, s.wire())
}

// listSubscriptions lists those that the caller may read.
func (c *Cloud) listSubscriptions(k *call) (answer, *refusal) {
	out := []object{}
	for _, id := range slices.Sorted(maps.Keys(c.state.Subscriptions)) {
		s := c.state.Subscriptions[id]
		if s.Tenant == k.Caller.Tenant && c.decide(k.Subject, "Microsoft.Resources/subscriptions/read", "/subscriptions/"+id) {
			out = append(out, s.wire())
		}
	}
	return page(k, c.state.Base, out, 3)
}

func (s *subscription) provider(ns string) *registration {
	r := s.Providers[strings.ToLower(ns)]
	if r == nil {
		r = &registration{Namespace: ns, State: "NotRegistered"}
		s.Providers[strings.ToLower(ns)] = r
	}
	return r
}

func (r *registration) wire(s *subscription) object {
	return object{
		"id": "/subscriptions/" + s.ID + "/providers/" + r.Namespace, "namespace": r.Namespace, "registrationState": r.State,
		"registrationPolicy": "RegistrationRequired", "resourceTypes": []object{},
	}
}

// tick moves a registration on. Each read is one poll.
func (r *registration) tick() {
	if r.State != "Registering" {
		return
	}
	if r.Polls--; r.Polls < 0 {
		r.State = "Registered"
	}
}

// knownProvider tells whether Azure has a namespace at all; here, those that a billing set-up can meet.
func knownProvider(ns string) bool {
	return slices.Contains([]string{
		"microsoft.costmanagementexports", "microsoft.costmanagement", "microsoft.storage", "microsoft.authorization", "microsoft.resources", "microsoft.compute", "microsoft.network",
	}, strings.ToLower(ns))
}

func (c *Cloud) getProvider(k *call) (answer, *refusal) {
	s, fail := c.inSubscription(k, "Microsoft.Resources/subscriptions/providers/read", "/subscriptions/"+k.P["sub"])
	if fail != nil {
		return answer{}, fail
	}
	if !knownProvider(k.P["ns"]) {
		return answer{}, refuse(http.StatusNotFound, "InvalidResourceNamespace", "The resource namespace '%s' is invalid.", k.P["ns"])
	}
	r := s.provider(k.P["ns"])
	r.tick()
	return jsonAnswer(http.StatusOK, r.wire(s))
}

func (c *Cloud) listProviders(k *call) (answer, *refusal) {
	s, fail := c.inSubscription(k, "Microsoft.Resources/subscriptions/providers/read", "/subscriptions/"+k.P["sub"])
	if fail != nil {
		return answer{}, fail
	}
	out := []object{}
	for _, ns := range slices.Sorted(maps.Keys(s.Providers)) {
		s.Providers[ns].tick()
		out = append(out, s.Providers[ns].wire(s))
	}
	return page(k, c.state.Base, out, 3)
}

// register is idempotent: a registered provider stays so (clouds.md §1.1).
func (c *Cloud) register(k *call) (answer, *refusal) {
	s, fail := c.subscriptionOf(k, k.P["sub"])
	if fail != nil {
		return answer{}, fail
	}
	if !knownProvider(k.P["ns"]) {
		return answer{}, refuse(http.StatusNotFound, "InvalidResourceNamespace", "The resource namespace '%s' is invalid.", k.P["ns"])
	}
	r := s.provider(k.P["ns"])
	if fail := c.need(k, r.Namespace+"/register/action", "/subscriptions/"+s.ID); fail != nil {
		return answer{}, fail
	}
	if r.State != "Registered" && r.State != "Registering" {
		r.State, r.Polls, r.Refusals = "Registering", c.opt.Polls, c.opt.RegisterLag
	}
	return jsonAnswer(http.StatusOK, r.wire(s))
}
