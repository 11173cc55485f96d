package auth

import (
	"context"
	"fmt"
	"strings"

	"outlay"
)

// errLogin is the one answer to a wrong address, a wrong password and a disabled user.
func errLogin() *outlay.Error {
	return outlay.Errorf(outlay.CodeUnauthenticated, "Check both and try again.", "Email or password is not right")
}

// Login checks an e-mail address and a password. It begins no session: see Begin. Wrong ones are CodeUnauthenticated
// with always the same words; too many are CodeThrottled naming when to try again.
func (a *Auth) Login(ctx context.Context, email string, password outlay.Secret, addr string) (outlay.Actor, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	keys := attemptsOf(email, addr)
	release, err := a.hasher.acquire(ctx)
	if err != nil {
		return outlay.Actor{}, err
	}
	defer release()
	// Asked while holding a slot, so that a burst of guesses cannot pass the question before the first is counted.
	if err := a.mayTry(ctx, keys); err != nil {
		return outlay.Actor{}, err
	}
	user, found, err := a.userByEmail(ctx, email)
	if err != nil {
		return outlay.Actor{}, err
	}
	right, stale, err := a.compare(user, found, password)
	if err != nil {
		return outlay.Actor{}, err
	}
	if !right || user.Disabled {
		return outlay.Actor{}, a.refuseLogin(ctx, user, found, keys, addr)
	}
	if err := a.succeeded(ctx, keys); err != nil {
		return outlay.Actor{}, err
	}
	if stale {
		user.Password = a.hasher.hash(password.Reveal())
	}
	return a.welcome(ctx, user, addr)
}

func (a *Auth) userByEmail(ctx context.Context, email string) (user outlay.User, found bool, err error) {
	orgID, userID, err := a.opts.Store.Install().UserByEmail(ctx, email)
	if outlay.CodeOf(err) == outlay.CodeNotFound {
		return user, false, nil
	}
	if err != nil {
		return user, false, fmt.Errorf("looking for a login: %w", err)
	}
	err = a.opts.Store.ReadOrg(ctx, orgID, func(tx outlay.Tx) (err error) {
		user, err = tx.User(ctx, userID)
		return err
	})
	if err != nil {
		return user, false, fmt.Errorf("reading a login: %w", err)
	}
	return user, true, nil
}

// compare takes as long for somebody unknown, or without a password, as for everybody else.
func (a *Auth) compare(user outlay.User, found bool, password outlay.Secret) (right, stale bool, err error) {
	p := password.Reveal()
	if len(p) > longestPassword {
		p = p[:longestPassword] // cannot be right: HashPassword takes none so long
		found = false
	}
	if !found || user.Password == "" {
		_, _, err = a.hasher.verify(a.hasher.dummy, p)
		return false, false, err
	}
	return a.hasher.verify(user.Password, p)
}

func (a *Auth) refuseLogin(ctx context.Context, user outlay.User, found bool, keys attempts, addr string) error {
	if err := a.failed(ctx, keys); err != nil {
		return err
	}
	if found {
		err := a.opts.Store.ForOrg(ctx, user.OrgID, func(tx outlay.Tx) error {
			return tx.Append(ctx, a.entry(user, addr, "sign-in", string(outlay.CodeUnauthenticated)))
		})
		if err != nil {
			return fmt.Errorf("noting a failed sign-in: %w", err)
		}
	}
	return errLogin()
}

// welcome notes the sign-in and reads who the user is.
func (a *Auth) welcome(ctx context.Context, user outlay.User, addr string) (outlay.Actor, error) {
	err := a.opts.Store.ForOrg(ctx, user.OrgID, func(tx outlay.Tx) error {
		now, err := tx.User(ctx, user.ID) // what else changed meanwhile stays
		if err != nil {
			return err
		}
		now.LastLogin, now.Password = a.opts.Clock.Now(), user.Password
		if err := tx.PutUser(ctx, now); err != nil {
			return err
		}
		return tx.Append(ctx, a.entry(user, addr, "sign-in", "ok"))
	})
	if err != nil {
		return outlay.Actor{}, fmt.Errorf("noting a sign-in: %w", err)
	}
	actor, _, err := a.actor(ctx, user.OrgID, user.ID)
	actor.Addr = addr
	return actor, err
}

func (a *Auth) entry(user outlay.User, addr, action, result string) outlay.Entry {
	return outlay.Entry{
		OrgID: user.OrgID, At: a.opts.Clock.Now(), Actor: user.ID, ActorName: user.Name, Addr: addr, Action: action, Object: "user " + user.Email, Result: result,
	}
}
