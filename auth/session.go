package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"outlay"
)

// What a session remembers.
const (
	sessionOrg     = "org"
	sessionUser    = "user"
	sessionMark    = "mark"    // of the password: a new one ends every session begun under the old
	sessionStarted = "started" // Unix seconds by our clock
	sessionSeen    = "seen"
)

// newSessions keeps sessions in the store under the hash of their token, so that a stolen database opens none.
func newSessions(o Options) *scs.SessionManager {
	m := scs.New()
	m.Store = o.Store.Install().Sessions()
	m.HashTokenInStore = true
	m.IdleTimeout, m.Lifetime = IdleLife, AbsoluteLife
	m.Cookie.Name, m.Cookie.Secure = cookieName(o.Secure), o.Secure
	m.Cookie.HttpOnly, m.Cookie.SameSite, m.Cookie.Path = true, http.SameSiteLaxMode, "/"
	return m
}

// cookieName has the prefix that makes browsers refuse the cookie from any other host, path or plain http.
func cookieName(secure bool) string {
	if secure {
		return "__Host-outlay"
	}
	return "outlay"
}

// writerKey is where a request's context holds its ResponseWriter, for the cookie.
type writerKey struct{}

// Begin starts a browser session for actor under a new token, whatever session the browser had before. It must be
// called under Middleware and before anything is written.
func (a *Auth) Begin(ctx context.Context, actor outlay.Actor) error {
	w, ok := ctx.Value(writerKey{}).(http.ResponseWriter)
	if !ok {
		return outlay.Errorf(outlay.CodeInvalid, "Sign in without an API token.", "this request cannot begin a session")
	}
	_, user, err := a.actor(ctx, actor.OrgID, actor.UserID)
	if err != nil {
		return err
	}
	if err := a.sessions.Clear(ctx); err != nil {
		return fmt.Errorf("beginning a session: %w", err)
	}
	if err := a.sessions.RenewToken(ctx); err != nil {
		return fmt.Errorf("beginning a session: %w", err)
	}
	now := a.opts.Clock.Now().Unix()
	a.sessions.Put(ctx, sessionOrg, actor.OrgID)
	a.sessions.Put(ctx, sessionUser, actor.UserID)
	a.sessions.Put(ctx, sessionMark, mark(user))
	a.sessions.Put(ctx, sessionStarted, now)
	a.sessions.Put(ctx, sessionSeen, now)
	return a.commit(ctx, w)
}

func (a *Auth) commit(ctx context.Context, w http.ResponseWriter) error {
	token, expiry, err := a.sessions.Commit(ctx)
	if err != nil {
		return fmt.Errorf("keeping a session: %w", err)
	}
	a.sessions.WriteSessionCookie(ctx, w, token, expiry)
	return nil
}

// End ends the session of the request, in the store and in the browser. Without one it does nothing.
func (a *Auth) End(ctx context.Context) error {
	w, ok := ctx.Value(writerKey{}).(http.ResponseWriter)
	if !ok || a.sessions.Token(ctx) == "" {
		return nil
	}
	if err := a.sessions.Destroy(ctx); err != nil {
		return fmt.Errorf("ending a session: %w", err)
	}
	a.sessions.WriteSessionCookie(ctx, w, "", time.Time{})
	return nil
}

// mark stands for a user's password without telling anything about it.
func mark(u outlay.User) string {
	sum := sha256.Sum256([]byte("session·" + u.ID + "·" + u.Password))
	return hex.EncodeToString(sum[:8])
}

// bySession is the actor of the request's session, or nobody. ctx holds the session already.
func (a *Auth) bySession(ctx context.Context, w http.ResponseWriter) (outlay.Actor, error) {
	userID := a.sessions.GetString(ctx, sessionUser)
	if userID == "" {
		return outlay.Actor{}, nil
	}
	now := a.opts.Clock.Now()
	seen := time.Unix(a.sessions.GetInt64(ctx, sessionSeen), 0)
	if now.Sub(seen) > IdleLife || now.Sub(time.Unix(a.sessions.GetInt64(ctx, sessionStarted), 0)) > AbsoluteLife {
		return outlay.Actor{}, a.End(ctx)
	}
	actor, user, err := a.actor(ctx, a.sessions.GetString(ctx, sessionOrg), userID)
	switch code := outlay.CodeOf(err); {
	case code == outlay.CodeUnauthenticated || code == outlay.CodeNotFound: // disabled or removed since
		return outlay.Actor{}, a.End(ctx)
	case err != nil:
		return outlay.Actor{}, fmt.Errorf("reading a session: %w", err)
	case mark(user) != a.sessions.GetString(ctx, sessionMark):
		return outlay.Actor{}, a.End(ctx)
	}
	if now.Sub(seen) >= touchEvery {
		a.sessions.Put(ctx, sessionSeen, now.Unix())
		if err := a.commit(ctx, w); err != nil {
			return outlay.Actor{}, err
		}
	}
	actor.Via = "session"
	return actor, nil
}
