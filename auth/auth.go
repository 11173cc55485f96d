// Package auth finds out who is asking: a person by local login and a server-side session, or a program by an API
// token. What they may do is not decided here; every request carries the roles that the store holds at that moment.
package auth

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"

	"outlay"
)

// Times of sessions and tokens (reliability.md M32, M35).
const (
	IdleLife     = 12 * time.Hour      // a session ends when nobody uses it for so long
	AbsoluteLife = 7 * 24 * time.Hour  // and in any case after so long
	TokenLife    = 90 * 24 * time.Hour // how long an API token lives unless somebody chooses
	touchEvery   = time.Minute         // the last use of sessions and tokens is written at most so often
)

// Options is what Auth needs.
type Options struct {
	Store outlay.Store
	Clock outlay.Clock
	Log   *slog.Logger
	// Secure is true when browsers reach us by https: then the cookie has the __Host- prefix and never goes over http.
	Secure bool
	// TrustedProxies are the networks whose X-Forwarded-For is believed; none by default.
	TrustedProxies []netip.Prefix
	// Refuse answers a request that goes no further; nil answers JSON.
	Refuse func(w http.ResponseWriter, r *http.Request, e *outlay.Error)
}

// Auth signs people in and tells who is asking. It is safe for concurrent use.
type Auth struct {
	opts     Options
	sessions *scs.SessionManager
	origins  *http.CrossOriginProtection
	hasher   *hasher
	setup    sync.Mutex // one first administrator at a time
}

// New makes an Auth over a store.
func New(o Options) *Auth {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Refuse == nil {
		o.Refuse = refuseJSON
	}
	return &Auth{opts: o, sessions: newSessions(o), origins: http.NewCrossOriginProtection(), hasher: newHasher(current())}
}

// actorKey is where a request's context holds its Actor.
type actorKey struct{}

// ActorFrom is who asks. Without a session or token it is nobody: an Actor with no UserID that still has its Addr.
func ActorFrom(ctx context.Context) outlay.Actor {
	a, _ := ctx.Value(actorKey{}).(outlay.Actor)
	return a
}

// WithActor returns a context in which a asks: for work that no request started, and for tests.
func WithActor(ctx context.Context, a outlay.Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// actor reads who a user is now. A disabled user is CodeUnauthenticated.
func (a *Auth) actor(ctx context.Context, orgID, userID string) (outlay.Actor, outlay.User, error) {
	var user outlay.User
	var in []outlay.Membership
	err := a.opts.Store.ReadOrg(ctx, orgID, func(tx outlay.Tx) (err error) {
		if user, err = tx.User(ctx, userID); err != nil {
			return err
		}
		in, err = tx.Memberships(ctx, userID)
		return err
	})
	if err != nil {
		return outlay.Actor{}, user, err
	}
	if user.Disabled {
		return outlay.Actor{}, user, outlay.Errorf(outlay.CodeUnauthenticated, "Ask an administrator of your organization.", "this user is disabled")
	}
	out := outlay.Actor{OrgID: orgID, UserID: userID, Name: user.Name, Handle: user.Handle}
	out.Roles, out.LeadOf = roles(in)
	return out, user, nil
}

// roles splits memberships into roles in the whole organization and the groups that are led. A role in a group makes
// its holder a member of the organization, who sees their own costs.
func roles(in []outlay.Membership) (all []outlay.Role, leadOf []string) {
	grouped := false
	for _, m := range in {
		switch {
		case m.GroupID == "":
			all = append(all, m.Role)
		case m.Role == outlay.RoleLead:
			leadOf = append(leadOf, m.GroupID)
		default:
			grouped = true
		}
	}
	if grouped && len(all) == 0 {
		all = append(all, outlay.RoleMember)
	}
	return all, leadOf
}
