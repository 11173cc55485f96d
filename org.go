package outlay

import "time"

// Organization is a tenant: it owns everything else, and sees nothing of any other.
type Organization struct {
	ID        string
	Name      string
	CreatedAt time.Time
}

// Group is the people who share costs: the value of the tag GroupID.
type Group struct {
	OrgID, ID, Name string
	CreatedAt       time.Time
}

// User is a person who can sign in to one organization.
type User struct {
	OrgID, ID string
	Email     string // lower case; unique over the whole installation
	Name      string // for people
	// Handle is how the clouds' tags name this person: the value of the tag User.
	Handle    string
	Password  string `json:"-"` // PHC string of argon2id; empty for people who sign in elsewhere
	Disabled  bool
	CreatedAt time.Time
	LastLogin time.Time
}

// Membership gives a user a role: in the whole organization (GroupID "") or in one group.
type Membership struct {
	OrgID, UserID, GroupID string
	Role                   Role
}

// APIToken lets a program act for its creator, within its scopes. The secret is stored as a SHA-256 sum only.
type APIToken struct {
	OrgID, ID, UserID, Name string
	Hash                    string `json:"-"` // hex SHA-256 of the whole token text
	// Actions limits what the token may do; nil means everything that its creator may.
	Actions                        []Action
	CreatedAt, ExpiresAt, LastUsed time.Time
}
