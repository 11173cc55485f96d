package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strings"

	"outlay"
)

// MintToken makes an API token: its id, the text that is shown once, and the hash that is stored. The text is
// outlay_<id>_<secret>_<crc>, so that scanners find it and a cut one is told from a false one (reliability.md M35).
func (a *Auth) MintToken() (id, text, hash string) {
	short := strings.ToLower(rand.Text())[:16]
	text = "outlay_" + short + "_" + hex.EncodeToString(random(32))
	text += "_" + checksum(text)
	return "tok_" + short, text, hashToken(text)
}

func checksum(s string) string { return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(s))) }

func hashToken(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// wellFormed tells whether a text can be a token of ours at all, without asking the store.
func wellFormed(text string) bool {
	cut := strings.LastIndexByte(text, '_')
	return strings.HasPrefix(text, "outlay_") && strings.Count(text, "_") == 3 && checksum(text[:cut]) == text[cut+1:]
}

// byToken is the actor that a token stands for: its creator's roles of this moment, within the token's scopes.
// CodeUnauthenticated for a token that is unknown, revoked, expired or whose creator is disabled or gone.
func (a *Auth) byToken(ctx context.Context, text string) (outlay.Actor, error) {
	const fix = "Make a new token under People, API tokens."
	unknown := outlay.Errorf(outlay.CodeUnauthenticated, fix, "the API token is not known here")
	if !wellFormed(text) {
		return outlay.Actor{}, unknown
	}
	orgID, tokenID, err := a.opts.Store.Install().TokenByHash(ctx, hashToken(text))
	if outlay.CodeOf(err) == outlay.CodeNotFound {
		return outlay.Actor{}, unknown
	}
	if err != nil {
		return outlay.Actor{}, fmt.Errorf("looking for an API token: %w", err)
	}
	t, err := a.token(ctx, orgID, tokenID)
	if outlay.CodeOf(err) == outlay.CodeNotFound {
		return outlay.Actor{}, unknown
	}
	if err != nil {
		return outlay.Actor{}, err
	}
	if !a.opts.Clock.Now().Before(t.ExpiresAt) { // one without an end has ended
		return outlay.Actor{}, outlay.Errorf(outlay.CodeUnauthenticated, fix, "the API token %s has expired", t.Name)
	}
	actor, _, err := a.actor(ctx, orgID, t.UserID)
	if err != nil {
		return outlay.Actor{}, err
	}
	actor.Via, actor.Scopes = "token", t.Actions
	a.touch(ctx, t)
	return actor, nil
}

func (a *Auth) token(ctx context.Context, orgID, tokenID string) (found outlay.APIToken, err error) {
	err = a.opts.Store.ReadOrg(ctx, orgID, func(tx outlay.Tx) error {
		tokens, err := tx.Tokens(ctx)
		if err != nil {
			return err
		}
		for _, t := range tokens {
			if t.ID == tokenID {
				found = t
				return nil
			}
		}
		return outlay.Errorf(outlay.CodeNotFound, "", "no such API token")
	})
	return found, err
}

// touch notes the use of a token. A request does not fail because that failed.
func (a *Auth) touch(ctx context.Context, t outlay.APIToken) {
	now := a.opts.Clock.Now()
	if now.Sub(t.LastUsed) < touchEvery {
		return
	}
	err := a.opts.Store.ForOrg(ctx, t.OrgID, func(tx outlay.Tx) error {
		tokens, err := tx.Tokens(ctx)
		if err != nil {
			return err
		}
		for _, x := range tokens {
			if x.ID == t.ID { // not one that was revoked meanwhile
				x.LastUsed = now
				return tx.PutToken(ctx, x)
			}
		}
		return nil
	})
	if err != nil {
		a.opts.Log.Warn("an API token's last use was not noted", "token", t.ID, "err", err)
	}
}
