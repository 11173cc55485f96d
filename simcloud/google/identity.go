package google

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"

	"outlay"
	"outlay/simcloud"
)

// identity is a service account.
type identity struct {
	Email   string
	Project string
	Name    string
	ID      string                 // unique id, digits
	Grants  map[string][]string    // resource → permission patterns; see Grant
	Revoked []string               // permissions taken from it, whatever else grants them
	Keys    map[string]*serviceKey // by key id
	Users   []string               // who may impersonate it: federated subjects "audience#subject", e-mail addresses
}

// serviceKey is the public half of a service account's key.
type serviceKey struct {
	ID     string
	Public []byte // PKIX
	// File is the key's JSON, so that asked again AddServiceAccount gives the same.
	File []byte
}

// pool is a workload identity provider and the subjects that it vouches for: subject token → subject.
type pool struct {
	Audience string
	Subjects map[string]string
}

// token is an access token.
type token struct {
	Email   string // "" for a federated token that was not exchanged yet
	Subject string // "audience#subject" of a federated token
	Expires time.Time
}

// AddBillingAccount adds a billing account; id is XXXXXX-XXXXXX-XXXXXX in capitals and digits.
func (c *Cloud) AddBillingAccount(id, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a := c.state.Accounts[id]; a != nil {
		a.Name = name
	} else {
		c.state.Accounts[id] = &billingAccount{ID: id, Name: name, Revisions: map[string]int{}}
	}
	c.persist()
}

// AddProject adds a project that billingAccount pays for; "" makes it a sandbox. The services that a caller needs to
// get going are on, BigQuery is not. Called again it changes name and billing account.
func (c *Cloud) AddProject(id, name, billingAccount string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if billingAccount != "" && c.state.Accounts[billingAccount] == nil {
		panic("simulated cloud: no billing account " + billingAccount)
	}
	p := c.state.Projects[id]
	if p == nil {
		p = &project{
			ID: id, Number: c.state.Number(12), Parent: "organizations/424242424242", State: "ACTIVE", Labels: map[string]string{}, Waking: map[string]int{}, Created: c.opt.Now().UTC(),
			Services: map[string]bool{"serviceusage.googleapis.com": true, "cloudresourcemanager.googleapis.com": true, "cloudbilling.googleapis.com": true, "iamcredentials.googleapis.com": true},
		}
		c.state.Projects[id] = p
	}
	p.Name, p.BillingAccount = name, billingAccount
	c.persist()
}

// Project is a project of an organization, for AddOrganization.
type Project struct{ ID, Name string }

// AddOrganization adds a billing account and the projects that it pays for.
func (c *Cloud) AddOrganization(billingAccount, name string, projects ...Project) {
	c.AddBillingAccount(billingAccount, name)
	for _, p := range projects {
		c.AddProject(p.ID, p.Name, billingAccount)
	}
}

// SetProject changes a project: its state ("DELETE_REQUESTED"), and the labels that its rows carry.
func (c *Cloud) SetProject(id, state string, labels map[string]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.mustProject(id)
	p.State, p.Labels = state, labels
	c.persist()
}

// SetService switches a service ("bigquery.googleapis.com") of a project on or off.
func (c *Cloud) SetService(project, service string, enabled bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mustProject(project).Services[service] = enabled
	c.persist()
}

// AllowRegions sets the organization policy gcp.resourceLocations of a project: datasets elsewhere are refused. Without
// any region everything is allowed.
func (c *Cloud) AllowRegions(project string, regions ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.mustProject(project)
	p.Regions = nil
	for _, r := range regions {
		p.Regions = append(p.Regions, strings.ToLower(r))
	}
	c.persist()
}

func (c *Cloud) mustProject(id string) *project {
	p := c.state.Projects[id]
	if p == nil {
		panic("simulated cloud: no project " + id)
	}
	return p
}

// AddServiceAccount adds a service account to a project and gives the JSON of its key; asked again, it gives the same
// key and sets the permissions anew. A permission is a name or a pattern ("bigquery.*", "*"); those that begin with
// "billing." count on the project's billing account, the others on the project. The key names Google.s own token_uri, which
// whoever is pointed at the simulation replaces.
func (c *Cloud) AddServiceAccount(project, name string, permissions ...string) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.mustProject(project)
	email := name + "@" + project + ".iam.gserviceaccount.com"
	id := c.state.Identities[email]
	if id == nil {
		id = &identity{Email: email, Project: project, Name: name, ID: c.state.Number(21), Keys: map[string]*serviceKey{}}
		c.state.Identities[email] = id
	}
	id.Grants, id.Revoked = map[string][]string{}, nil
	for _, permission := range permissions {
		if !strings.HasPrefix(permission, "billing.") {
			id.grant("projects/"+project, permission)
		}
		if strings.HasPrefix(permission, "billing.") || permission == "*" {
			id.grant("billingAccounts/"+p.BillingAccount, permission)
		}
	}
	defer c.persist()
	for _, key := range id.Keys {
		return key.File
	}
	return c.newKey(id).File
}

// RotateKey makes a further key of a service account and gives its JSON. The keys before stay valid until RemoveKeys.
func (c *Cloud) RotateKey(email string) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.persist()
	return c.newKey(c.mustIdentity(email)).File
}

// RemoveKeys deletes every key of a service account but the one given, and ends its tokens.
func (c *Cloud) RemoveKeys(email, except string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := c.mustIdentity(email)
	for name := range id.Keys {
		if name != except {
			delete(id.Keys, name)
		}
	}
	for text, t := range c.state.Tokens {
		if t.Email == email {
			delete(c.state.Tokens, text)
		}
	}
	c.persist()
}

// keyBits is half of what Google's keys have: nothing here is worth more, and tests make many.
const keyBits = 1024

// newKey makes a key pair and the file that a person would download.
func (c *Cloud) newKey(id *identity) *serviceKey {
	private, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		panic(err) // the machine has no randomness
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		panic(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		panic(err)
	}
	key := &serviceKey{ID: c.state.ID(40), Public: public}
	key.File = simcloud.JSON(obj{
		"type": "service_account", "project_id": id.Project, "private_key_id": key.ID, "client_email": id.Email, "client_id": id.ID,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})),
		"auth_uri":    "https://accounts.google.com/o/oauth2/auth", "token_uri": "https://oauth2.googleapis.com/token",
		"auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs", "universe_domain": "googleapis.com",
		"client_x509_cert_url": "https://www.googleapis.com/robot/v1/metadata/x509/" + id.Email,
	})
	id.Keys[key.ID] = key
	return key
}

// AddFederation lets a workload identity provider vouch for a subject, which may act as a service account: who presents
// subjectToken to the token exchange for audience (the //iam.googleapis.com/projects/… form) gets in.
func (c *Cloud) AddFederation(audience, subjectToken, email string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.state.Pools[audience]
	if p == nil {
		p = &pool{Audience: audience, Subjects: map[string]string{}}
		c.state.Pools[audience] = p
	}
	subject := "subject-" + outlay.NewID("sub")[:12]
	p.Subjects[subjectToken] = subject
	id := c.mustIdentity(email)
	id.Users = append(id.Users, audience+"#"+subject)
	c.persist()
}

// Attach makes the metadata server (GCE_METADATA_HOST) speak for a service account.
func (c *Cloud) Attach(email string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Attached = c.mustIdentity(email).Email
	c.persist()
}

// Grant gives a service account permissions on a resource: "projects/P", "billingAccounts/B", "datasets/P.D" or
// "tables/P.D.T".
func (c *Cloud) Grant(email, resource string, permissions ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, permission := range permissions {
		c.mustIdentity(email).grant(resource, permission)
	}
	c.persist()
}

// Revoke takes permissions from a service account, whatever grants them.
func (c *Cloud) Revoke(email string, permissions ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := c.mustIdentity(email)
	id.Revoked = append(id.Revoked, permissions...)
	c.persist()
}

// Restore gives back what Revoke took; without permissions, everything.
func (c *Cloud) Restore(email string, permissions ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := c.mustIdentity(email)
	id.Revoked = slices.DeleteFunc(id.Revoked, func(p string) bool { return len(permissions) == 0 || slices.Contains(permissions, p) })
	c.persist()
}

// Email is the address of a service account.
func Email(project, name string) string {
	return fmt.Sprintf("%s@%s.iam.gserviceaccount.com", name, project)
}

func (c *Cloud) mustIdentity(email string) *identity {
	id := c.state.Identities[email]
	if id == nil {
		panic("simulated cloud: no service account " + email)
	}
	return id
}

func (i *identity) grant(resource, permission string) {
	i.Grants[resource] = append(i.Grants[resource], permission)
}
