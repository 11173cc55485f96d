package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/mail"
	"strings"

	"outlay"
)

// setupKey is where the hash of the one-time code is kept.
const setupKey = "auth.setup"

// SetupRequest makes the first administrator.
type SetupRequest struct {
	Code         string // from the server's log
	Organization string
	Name, Email  string
	Password     outlay.Secret
	Addr         string // network address, for the delay and the audit log
}

// SetupNeeded tells whether nobody could administer this installation yet.
func (a *Auth) SetupNeeded(ctx context.Context) (bool, error) {
	orgs, err := a.opts.Store.Install().Organizations(ctx)
	if err != nil {
		return false, fmt.Errorf("looking for an administrator: %w", err)
	}
	for _, o := range orgs {
		found, err := a.administered(ctx, o.ID)
		if err != nil || found {
			return false, err
		}
	}
	return true, nil
}

// administered tells whether an organization has an administrator who can sign in.
func (a *Auth) administered(ctx context.Context, orgID string) (found bool, err error) {
	err = a.opts.Store.ReadOrg(ctx, orgID, func(tx outlay.Tx) error {
		users, err := tx.Users(ctx)
		if err != nil {
			return err
		}
		members, err := tx.Memberships(ctx, "")
		if err != nil {
			return err
		}
		found = outlay.Administered(users, members)
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("looking for an administrator: %w", err)
	}
	return found, nil
}

// SetupCode makes a new one-time code for the first administrator, while there is none; an earlier code is void then.
// Call it once at start and put the code into the log.
func (a *Auth) SetupCode(ctx context.Context) (code string, needed bool, err error) {
	needed, err = a.SetupNeeded(ctx)
	if err != nil || !needed {
		return "", false, err
	}
	raw := rand.Text()[:16] // 80 bits
	code = strings.Join([]string{raw[:4], raw[4:8], raw[8:12], raw[12:]}, "-")
	if err := a.opts.Store.Install().PutMeta(ctx, setupKey, hashCode(code)); err != nil {
		return "", true, fmt.Errorf("keeping the set-up code: %w", err)
	}
	return code, true, nil
}

// hashCode forgives case, spaces and dashes.
func hashCode(code string) string {
	plain := strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToUpper(code))
	sum := sha256.Sum256([]byte(plain))
	return hex.EncodeToString(sum[:])
}

// Setup makes the organization and its administrator, once. A wrong code is CodeForbidden, and CodeThrottled after a few;
// when there is an administrator already it is CodeConflict; a bad field is CodeInvalid.
func (a *Auth) Setup(ctx context.Context, r SetupRequest) (outlay.Actor, error) {
	a.setup.Lock()
	defer a.setup.Unlock()
	needed, err := a.SetupNeeded(ctx)
	if err != nil {
		return outlay.Actor{}, err
	}
	if !needed {
		return outlay.Actor{}, outlay.Errorf(outlay.CodeConflict, "Sign in.", "this installation is set up already")
	}
	if err := a.checkCode(ctx, r); err != nil {
		return outlay.Actor{}, err
	}
	email, err := r.check()
	if err != nil {
		return outlay.Actor{}, err
	}
	hash, err := a.HashPassword(r.Password)
	if err != nil {
		return outlay.Actor{}, err
	}
	user := outlay.User{ID: outlay.NewID("usr"), Email: email, Name: strings.TrimSpace(r.Name), Password: hash, CreatedAt: a.opts.Clock.Now()}
	user.Handle, _, _ = strings.Cut(email, "@")
	return a.found(ctx, r, user)
}

func (a *Auth) checkCode(ctx context.Context, r SetupRequest) error {
	keys := attemptsOf("set-up", r.Addr)
	if err := a.mayTry(ctx, keys); err != nil {
		return err
	}
	stored, err := a.opts.Store.Install().Meta(ctx, setupKey)
	if err != nil {
		return fmt.Errorf("reading the set-up code: %w", err)
	}
	if stored != "" && subtle.ConstantTimeCompare([]byte(stored), []byte(hashCode(r.Code))) == 1 {
		return nil
	}
	if err := a.failed(ctx, keys); err != nil {
		return err
	}
	return outlay.Errorf(outlay.CodeForbidden, "Copy it from the server's log; each start makes a new one.", "the set-up code is not right").InField("code")
}

// check returns the address in the form in which it is stored.
func (r SetupRequest) check() (email string, err error) {
	if strings.TrimSpace(r.Organization) == "" {
		return "", outlay.Errorf(outlay.CodeInvalid, "Enter your organization's name.", "the organization has no name").InField("organization")
	}
	if strings.TrimSpace(r.Name) == "" {
		return "", outlay.Errorf(outlay.CodeInvalid, "Enter your name.", "the administrator has no name").InField("name")
	}
	addr, err := mail.ParseAddress(strings.TrimSpace(r.Email))
	if err != nil || addr.Name != "" {
		return "", outlay.Errorf(outlay.CodeInvalid, "Write it as name@example.org.", "this is not an e-mail address").InField("email")
	}
	return strings.ToLower(addr.Address), nil
}

// found founds the organization. One that an earlier try left without anybody is taken again.
func (a *Auth) found(ctx context.Context, r SetupRequest, user outlay.User) (outlay.Actor, error) {
	org, err := a.organization(ctx, strings.TrimSpace(r.Organization))
	if err != nil {
		return outlay.Actor{}, err
	}
	user.OrgID = org.ID
	err = a.opts.Store.ForOrg(ctx, org.ID, func(tx outlay.Tx) error {
		if err := tx.PutUser(ctx, user); err != nil {
			return err
		}
		if err := tx.PutMembership(ctx, outlay.Membership{OrgID: org.ID, UserID: user.ID, Role: outlay.RoleAdmin}); err != nil {
			return err
		}
		return tx.Append(ctx, a.entry(user, r.Addr, "set-up", "ok"))
	})
	if err != nil {
		return outlay.Actor{}, fmt.Errorf("adding the first administrator: %w", err)
	}
	if err := a.opts.Store.Install().PutMeta(ctx, setupKey, ""); err != nil {
		return outlay.Actor{}, fmt.Errorf("voiding the set-up code: %w", err)
	}
	actor, _, err := a.actor(ctx, org.ID, user.ID)
	actor.Addr = r.Addr
	return actor, err
}

func (a *Auth) organization(ctx context.Context, name string) (outlay.Organization, error) {
	orgs, err := a.opts.Store.Install().Organizations(ctx)
	if err != nil {
		return outlay.Organization{}, fmt.Errorf("listing organizations: %w", err)
	}
	for _, o := range orgs {
		if o.Name == name { // without an administrator, or Setup would have refused
			return o, nil
		}
	}
	org := outlay.Organization{ID: outlay.NewID("org"), Name: name, CreatedAt: a.opts.Clock.Now()}
	if err := a.opts.Store.Install().AddOrganization(ctx, org); err != nil {
		return org, fmt.Errorf("adding the organization: %w", err)
	}
	return org, nil
}
