package aws

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"outlay"
	"outlay/simcloud"
)

// principal is a user, a role or the root of an account.
type principal struct {
	ARN        string
	Account    string
	Name       string // without path
	Path       string // "/" or "/team/"
	ID         string // AIDA…, AROA…
	Kind       principalKind
	Allow      []string // IAM policy documents
	Deny       []string // actions denied to it whatever else is allowed
	Trusted    []string // roles: ARNs that may assume it
	ExternalID string   // roles: demanded by the trust policy when not empty
	Created    time.Time
}

type principalKind string

const (
	kindUser principalKind = "user"
	kindRole principalKind = "role"
	kindRoot principalKind = "root"
)

// accessKey is a way to sign: a user's keys, or the temporary ones of a role session.
type accessKey struct {
	ID, Secret string
	Principal  string // ARN
	Token      string // session token, "" for a user's keys
	Session    string // role session name
	Expires    time.Time
}

// AddAccount adds an account that belongs to no organization and so pays for itself. id has 12 digits.
func (c *Cloud) AddAccount(id, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.putAccount(id, name, id, "")
}

// Member is an account of an organization.
type Member struct{ ID, Name string }

// AddOrganization adds a payer and its member accounts. A member account that stands alone already joins.
func (c *Cloud) AddOrganization(payer Member, members ...Member) {
	c.mu.Lock()
	defer c.mu.Unlock()
	org := "o-" + payer.ID[:10]
	c.putAccount(payer.ID, payer.Name, payer.ID, org)
	for _, m := range members {
		c.putAccount(m.ID, m.Name, payer.ID, org)
	}
}

func (c *Cloud) putAccount(id, name, payer, org string) {
	if a := c.state.Accounts[id]; a != nil {
		a.Name, a.Payer, a.OrgID = name, payer, org
		return
	}
	c.state.Accounts[id] = &account{
		ID: id, Name: name, Payer: payer, OrgID: org, Created: c.opt.Now(),
		Email: strings.ToLower(strings.ReplaceAll(name, " ", "-")) + "@example.org",
	}
	if payer == id && c.state.Tags[id] == nil {
		c.state.Tags[id] = &tagBook{Keys: map[string]*tagKey{}, Since: c.opt.Now()}
	}
	c.persist()
}

// AddUser adds an IAM user and gives its access key; asked again, it gives the same key and sets the policies anew.
// Each allow is an action pattern such as "s3:*", or a whole IAM policy document beginning with '{'. Without any, the
// user may do nothing but ask who it is.
func (c *Cloud) AddUser(account, name string, allow ...string) (accessKeyID, secret string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.putPrincipal(account, kindUser, name, allow)
	return c.keyOf(p)
}

// AddRoot gives an access key of an account's root user, which may do everything and cannot be simulated.
func (c *Cloud) AddRoot(account string) (accessKeyID, secret string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.putPrincipal(account, kindRoot, "", []string{"*"})
	return c.keyOf(p)
}

// FirstExternalID as the external id of a role makes it demand, from then on, the first long one (32 characters or more)
// that a trusted caller presents. In the demo nobody sits at AWS's console to write the id into the trust policy.
const FirstExternalID = "(the first one)"

// AddRole adds a role, or changes it, and gives its ARN. name may have a path ("team/outlay"). trusted is the ARN that
// may assume it ("arn:aws:iam::A:root" for everybody in an account); externalID is demanded when not empty.
func (c *Cloud) AddRole(account, name, trusted, externalID string, allow ...string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.putPrincipal(account, kindRole, name, allow)
	p.Trusted, p.ExternalID = []string{trusted}, externalID
	c.persist()
	return p.ARN
}

// Allow replaces what a user or role may do.
func (c *Cloud) Allow(principalARN string, allow ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mustPrincipal(principalARN).Allow = documents(allow)
	c.persist()
}

// Deny takes actions ("s3:CreateBucket") from a user or role, whatever else is allowed.
func (c *Cloud) Deny(principalARN string, actions ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.mustPrincipal(principalARN)
	p.Deny = append(p.Deny, actions...)
	c.persist()
}

// Undeny gives back what Deny took; without actions, everything.
func (c *Cloud) Undeny(principalARN string, actions ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.mustPrincipal(principalARN)
	p.Deny = slices.DeleteFunc(p.Deny, func(a string) bool { return len(actions) == 0 || slices.Contains(actions, a) })
	c.persist()
}

// DenyByOrganization forbids actions to everybody in an account, as a service control policy does. (AWS
// exempts the payer's own account; here whoever is named is bound.)
func (c *Cloud) DenyByOrganization(account string, actions ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Accounts[account].Denied = append(c.state.Accounts[account].Denied, actions...)
	c.persist()
}

// UserARN is the ARN of a user.
func (c *Cloud) UserARN(account, name string) string {
	return fmt.Sprintf("arn:%s:iam::%s:user/%s", c.opt.Partition, account, name)
}

func (c *Cloud) mustPrincipal(arn string) *principal {
	p := c.state.Principals[arn]
	if p == nil {
		panic("simulated cloud: no principal " + arn)
	}
	return p
}

func (c *Cloud) putPrincipal(acc string, kind principalKind, name string, allow []string) *principal {
	if c.state.Accounts[acc] == nil {
		panic("simulated cloud: no account " + acc)
	}
	arn := fmt.Sprintf("arn:%s:iam::%s:%s/%s", c.opt.Partition, acc, kind, name)
	prefix := map[principalKind]string{kindUser: "AIDA", kindRole: "AROA", kindRoot: ""}[kind]
	if kind == kindRoot {
		arn = fmt.Sprintf("arn:%s:iam::%s:root", c.opt.Partition, acc)
	}
	p := c.state.Principals[arn]
	if p == nil {
		p = &principal{ARN: arn, Account: acc, Name: path.Base("/" + name), Path: "/", Kind: kind, Created: c.opt.Now()}
		if dir := path.Dir("/" + name); dir != "/" {
			p.Path = dir + "/"
		}
		if p.ID = acc; kind != kindRoot {
			p.ID = prefix + strings.ToUpper(c.state.ID(16))
		}
		c.state.Principals[arn] = p
	}
	p.Allow = documents(allow)
	c.persist()
	return p
}

func (c *Cloud) keyOf(p *principal) (id, secret string) {
	for _, k := range c.state.Keys {
		if k.Principal == p.ARN && k.Token == "" {
			return k.ID, k.Secret
		}
	}
	k := &accessKey{ID: "AKIA" + strings.ToUpper(c.state.ID(16)), Secret: c.secretText(), Principal: p.ARN}
	c.state.Keys[k.ID] = k
	c.persist()
	return k.ID, k.Secret
}

// secretText is 40 characters that are not in any other secret, so that a canary finds them.
func (c *Cloud) secretText() string { return outlay.NewID("sim")[:20] + c.state.ID(20) }

// documents turns action patterns into policy documents; documents stay as they are.
func documents(allow []string) []string {
	var out []string
	for _, a := range allow {
		if !strings.HasPrefix(strings.TrimSpace(a), "{") {
			a = fmt.Sprintf(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":%q,"Resource":"*"}}`, a)
		}
		if _, err := parsePolicy(a); err != nil {
			panic("simulated cloud: " + err.Error())
		}
		out = append(out, a)
	}
	return out
}

// persist saves a change that a test or the demo made itself. Losing it would only surprise, so it panics.
func (c *Cloud) persist() { simcloud.MustSave(c.opt.Dir, c.state) }
