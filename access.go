package outlay

import (
	"fmt"
	"slices"
)

// Role is what a person is in an organization or group.
type Role string

// The five roles.
const (
	RoleAdmin   Role = "org:admin"   // everything; the only one that provisions
	RoleFinance Role = "org:finance" // all costs, imports, exports
	RoleLead    Role = "group:lead"  // own groups' costs
	RoleMember  Role = "member"      // own costs
	RoleAuditor Role = "auditor"     // reads everything, the audit log included
)

// Action is one thing a verb does. Every route and command declares one.
type Action string

// The actions.
const (
	CostsRead          Action = "costs:read"     // what the scope of the actor's role allows
	CostsReadAll       Action = "costs:read-all" // every charge of the organization
	AccountsRead       Action = "accounts:read"
	AccountsWrite      Action = "accounts:write" // add, rotate, remove
	BillingPlan        Action = "billing:plan"
	BillingProvision   Action = "billing:provision"
	BillingDeprovision Action = "billing:deprovision"
	BillingCheck       Action = "billing:check" // look now
	RunsRead           Action = "runs:read"
	CostsImport        Action = "costs:import"
	PeopleRead         Action = "people:read"
	PeopleWrite        Action = "people:write"
	TokensOwn          Action = "tokens:own" // create and revoke one's own
	AuditRead          Action = "audit:read"
	SelfRead           Action = "self:read"     // who am I
	TagsPlan           Action = "tags:plan"     // spell the tags of one's own resources
	TagsPlanAll        Action = "tags:plan-all" // and of everybody's: what a launcher's token needs
)

// Actions lists every action.
func Actions() []Action {
	return []Action{
		CostsRead, CostsReadAll, AccountsRead, AccountsWrite, BillingPlan, BillingProvision, BillingDeprovision, BillingCheck,
		RunsRead, CostsImport, PeopleRead, PeopleWrite, TokensOwn, AuditRead, SelfRead,
		TagsPlan, TagsPlanAll,
	}
}

// Roles lists every role.
func Roles() []Role { return []Role{RoleAdmin, RoleFinance, RoleLead, RoleMember, RoleAuditor} }

// Allowed is the one table Role × Action. What it does not name is denied.
func Allowed(r Role, a Action) bool { return slices.Contains(allowed(r), a) }

func allowed(r Role) []Action {
	switch r {
	case RoleAdmin:
		return Actions()
	case RoleFinance:
		return []Action{CostsRead, CostsReadAll, AccountsRead, RunsRead, CostsImport, TokensOwn, SelfRead, TagsPlan}
	case RoleLead:
		return []Action{CostsRead, TokensOwn, SelfRead, TagsPlan}
	case RoleMember:
		return []Action{CostsRead, TokensOwn, SelfRead, TagsPlan}
	case RoleAuditor:
		return []Action{CostsRead, CostsReadAll, AccountsRead, RunsRead, PeopleRead, TokensOwn, AuditRead, SelfRead}
	}
	return nil
}

// RolesFor lists the roles that an action is open to: what a 403 tells.
func RolesFor(a Action) []Role {
	var out []Role
	for _, r := range Roles() {
		if Allowed(r, a) {
			out = append(out, r)
		}
	}
	return out
}

// Administered tells whether one of an organization's users can sign in and administers the whole of it.
func Administered(users []User, members []Membership) bool {
	return slices.ContainsFunc(members, func(m Membership) bool {
		return m.Role == RoleAdmin && m.GroupID == "" &&
			slices.ContainsFunc(users, func(u User) bool { return u.ID == m.UserID && !u.Disabled })
	})
}

// Actor is who is asking: a user of one organization, with the roles of this moment.
type Actor struct {
	OrgID, UserID string
	Name          string
	Handle        string // value of the tag User
	Roles         []Role // in the whole organization
	// Groups are the groups in which the actor is a lead, by id: values of the tag GroupID.
	LeadOf []string
	// Scopes limits an API token; nil for a person.
	Scopes []Action
	Via    string // "session", "token", "system"
	Addr   string // network address, for the audit log
}

// May tells whether the actor's roles, and its token's scopes, allow an action.
func (a Actor) May(action Action) bool {
	if a.Scopes != nil && !slices.Contains(a.Scopes, action) {
		return false
	}
	if len(a.LeadOf) > 0 && Allowed(RoleLead, action) {
		return true
	}
	return slices.ContainsFunc(a.Roles, func(r Role) bool { return Allowed(r, action) })
}

// Must is nil when the actor may, and otherwise CodeForbidden naming the roles that could (CodeUnauthenticated for
// nobody at all).
func (a Actor) Must(action Action) error {
	if a.UserID == "" {
		return Errorf(CodeUnauthenticated, "Sign in.", "you are not signed in")
	}
	if !a.May(action) {
		return Errorf(CodeForbidden, fmt.Sprintf("Ask somebody with the role %s.", RolesFor(action)[0]), "%s needs the role %s", action, rolesText(action))
	}
	return nil
}

func rolesText(a Action) string {
	text := ""
	for i, r := range RolesFor(a) {
		if i > 0 {
			text += " or "
		}
		text += string(r)
	}
	return text
}
