package azure

import (
	"slices"
	"strings"
	"time"
)

// tenant is a directory.
type tenant struct{ ID, Name string }

// app is who may sign in: an app registration with its enterprise application, or the identity of an export.
type app struct {
	ClientID string
	ObjectID string // of the service principal: what role assignments name
	Tenant   string
	Name     string
	Secrets  []string
	Certs    []string  // PEM of registered certificates
	Trusts   []subject // federated credentials
	Deny     []string  // actions denied to it whatever its roles allow
}

// subject is whose token an app accepts in place of a secret.
type subject struct{ Issuer, Subject string }

// Role is what a role definition allows. Data actions are those on blobs; "*" in Actions gives none of them.
type Role struct {
	Name                                             string
	Actions, NotActions, DataActions, NotDataActions []string
	// Condition is the text of an ABAC condition. The cloud shows it and does not evaluate it.
	Condition string
}

// grant is a role assignment.
type grant struct {
	ID        string // "/subscriptions/…/providers/Microsoft.Authorization/roleAssignments/{guid}"
	Scope     string // lower case, with a leading slash
	Principal string // object id
	RoleID    string // guid of the role definition
	Role      Role
	Created   time.Time
	Unseen    int // decisions that do not see it yet
}

// AddTenant adds a directory. id is a GUID.
func (c *Cloud) AddTenant(id, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Tenants[id] = &tenant{ID: id, Name: name}
	c.persist()
}

// AddApp adds an app registration and gives its client id and secret; asked again, it gives the same. Without a Grant it
// may do nothing but sign in.
func (c *Cloud) AddApp(tenant, name string) (clientID, secret string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.Tenants[tenant] == nil {
		panic("simulated cloud: no tenant " + tenant)
	}
	for _, a := range c.state.Apps {
		if a.Tenant == tenant && a.Name == name {
			return a.ClientID, a.Secrets[0]
		}
	}
	a := c.newApp(tenant, name)
	a.Secrets = []string{"sim8Q~" + randomText(17)}
	c.persist()
	return a.ClientID, a.Secrets[0]
}

func (c *Cloud) newApp(tenant, name string) *app {
	a := &app{ClientID: c.state.UUID(), ObjectID: c.state.UUID(), Tenant: tenant, Name: name}
	c.state.Apps[a.ClientID] = a
	return a
}

// AddSecret gives an app one more secret, as somebody does who rotates it.
func (c *Cloud) AddSecret(clientID string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.mustApp(clientID)
	a.Secrets = append(a.Secrets, "sim8Q~"+randomText(17))
	c.persist()
	return a.Secrets[len(a.Secrets)-1]
}

// RemoveSecret ends a secret.
func (c *Cloud) RemoveSecret(clientID, secret string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.mustApp(clientID)
	a.Secrets = slices.DeleteFunc(a.Secrets, func(s string) bool { return s == secret })
	c.persist()
}

// AddCertificate registers the PEM of a certificate with which an app may sign in.
func (c *Cloud) AddCertificate(clientID, certificate string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.mustApp(clientID)
	a.Certs = append(a.Certs, certificate)
	c.persist()
}

// Federate makes an app accept tokens of an issuer for a subject. Their signature is not verified: the issuer is not here.
func (c *Cloud) Federate(clientID, issuer, sub string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.mustApp(clientID)
	a.Trusts = append(a.Trusts, subject{issuer, sub})
	c.persist()
}

// Grant gives an app actions ("Microsoft.Storage/*") at a scope and below. Actions on blobs are data actions; "*" does
// not bring them, as with Owner on the real one.
func (c *Cloud) Grant(clientID, scope string, actions ...string) {
	r := Role{Name: "custom"}
	for _, a := range actions {
		if strings.Contains(a, "/blobs/") {
			r.DataActions = append(r.DataActions, a)
		} else {
			r.Actions = append(r.Actions, a)
		}
	}
	c.GrantRole(clientID, scope, r)
}

// GrantRole assigns a role to an app at a scope and below.
func (c *Cloud) GrantRole(clientID, scope string, r Role) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.assign(c.mustApp(clientID).ObjectID, scope, c.state.UUID(), r)
	c.persist()
}

func (c *Cloud) assign(principal, scope, roleID string, r Role) *grant {
	s := normal(scope)
	id := strings.TrimSuffix("/"+strings.Trim(scope, "/"), "/") + "/providers/Microsoft.Authorization/roleAssignments/" + c.state.UUID()
	g := &grant{ID: id, Scope: s, Principal: principal, RoleID: roleID, Role: r, Created: c.opt.Now(), Unseen: c.opt.GrantLag}
	c.state.Grants = append(c.state.Grants, g)
	return g
}

// Revoke takes every role of an app at exactly that scope.
func (c *Cloud) Revoke(clientID, scope string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	principal := c.mustApp(clientID).ObjectID
	c.state.Grants = slices.DeleteFunc(c.state.Grants, func(g *grant) bool { return g.Principal == principal && g.Scope == normal(scope) })
	c.persist()
}

// Deny takes actions ("Microsoft.Storage/storageAccounts/write") from an app, whatever its roles allow.
func (c *Cloud) Deny(clientID string, actions ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.mustApp(clientID)
	a.Deny = append(a.Deny, actions...)
	c.persist()
}

// Undeny gives back what Deny took; without actions, everything.
func (c *Cloud) Undeny(clientID string, actions ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.mustApp(clientID)
	a.Deny = without(a.Deny, actions)
	c.persist()
}

func (c *Cloud) mustApp(clientID string) *app {
	a := c.state.Apps[clientID]
	if a == nil {
		panic("simulated cloud: no app " + clientID)
	}
	return a
}
