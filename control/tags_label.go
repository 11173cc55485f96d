package control

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"outlay"
)

// PlanLabelsRequest asks how a resource's tags are to be written.
type PlanLabelsRequest struct {
	Provider outlay.ProviderName
	Tags     map[string]string // by one of the nine keys, in any spelling; empty values are left out
}

// LabelsView is a resource's tags as its provider accepts them.
type LabelsView struct {
	Provider outlay.ProviderName `json:"provider"`
	Title    string              `json:"title"`
	Labels   []outlay.Label      `json:"labels"` // in the order of the nine
}

// maxTagOriginal is the longest value that can be meant, in characters. Providers allow 256 or less.
const maxTagOriginal = 512

// PlanLabels spells tags for a provider, and remembers what each label stands for where the spelling loses something,
// so that charges are shown under the value that was meant. Anybody may ask for his own resources; for those of others
// (the tag User names somebody else) it takes tags:plan-all.
func (c *Control) PlanLabels(ctx context.Context, a outlay.Actor, r PlanLabelsRequest) (LabelsView, error) {
	if err := c.must(ctx, a, outlay.TagsPlan, "labels"); err != nil {
		return LabelsView{}, err
	}
	p, err := c.provider(r.Provider)
	if err != nil {
		return LabelsView{}, err
	}
	tags, err := checkTags(r.Tags)
	if err != nil {
		return LabelsView{}, err
	}
	if err := c.mayLabel(ctx, a, tags["User"]); err != nil {
		return LabelsView{}, err
	}
	labels, err := p.Labels(tags)
	if err != nil {
		return LabelsView{}, err
	}
	k := labelKeeper{c: c, actor: a, provider: p, lossy: lossy(p)}
	err = c.deps.Store.ForOrg(ctx, a.OrgID, func(tx outlay.Tx) error {
		k.labels = slices.Clone(labels)
		if err := k.keep(ctx, tx); err != nil {
			return err
		}
		return k.handles(ctx, tx)
	})
	return LabelsView{Provider: r.Provider, Title: p.About().Title, Labels: k.labels}, err
}

// checkTags puts the keys into their spelling and refuses what no resource can carry.
func checkTags(in map[string]string) (map[string]string, error) {
	out := map[string]string{}
	for _, key := range sortedKeys(in) {
		tag, err := tagKeyOf(key)
		if err != nil {
			return nil, err
		}
		value := strings.TrimSpace(in[key])
		if value == "" {
			continue
		}
		if _, twice := out[tag]; twice {
			return nil, outlay.Errorf(outlay.CodeInvalid, "Give it once.", "%s is given twice", tag).InField(tag)
		}
		if !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl) {
			return nil, outlay.Errorf(outlay.CodeInvalid, "Leave control characters out.", "the value of %s is no text", tag).InField(tag)
		}
		if n := utf8.RuneCountInString(value); n > maxTagOriginal {
			return nil, outlay.Errorf(outlay.CodeInvalid, fmt.Sprintf("Use at most %d.", maxTagOriginal), "the value of %s has %d characters", tag, n).InField(tag)
		}
		out[tag] = value
	}
	if len(out) == 0 {
		return nil, outlay.Errorf(outlay.CodeInvalid, "Give at least one of "+strings.Join(outlay.TagKeys(), ", ")+".", "there is no tag to plan").InField("tags")
	}
	return out, nil
}

// mayLabel lets everybody ask for himself, by handle or e-mail address.
func (c *Control) mayLabel(ctx context.Context, a outlay.Actor, user string) error {
	if user == "" || a.May(outlay.TagsPlanAll) || user == a.Handle {
		return nil
	}
	own := false
	err := c.deps.Store.ReadOrg(ctx, a.OrgID, func(tx outlay.Tx) error {
		u, err := tx.User(ctx, a.UserID)
		own = err == nil && strings.EqualFold(u.Email, user)
		return err
	})
	if err != nil || own {
		return err
	}
	return c.must(ctx, a, outlay.TagsPlanAll, "labels of "+user)
}

// labelKeeper remembers the meanings of labels in one transaction.
type labelKeeper struct {
	c        *Control
	actor    outlay.Actor
	provider outlay.Provider
	lossy    bool
	labels   []outlay.Label
}

// keep stores what each label stands for. Where spelling loses something, a value that needed no change is stored too:
// it is taken then, and no other value becomes the same label later.
func (k *labelKeeper) keep(ctx context.Context, tx outlay.Tx) error {
	for i := range k.labels {
		l := &k.labels[i]
		if l.Value == l.Original && !k.lossy {
			continue
		}
		err := k.put(ctx, tx, *l)
		if outlay.CodeOf(err) == outlay.CodeConflict {
			if err := k.tellApart(l); err != nil {
				return err
			}
			if err = k.put(ctx, tx, *l); err == nil {
				err = k.c.note(ctx, tx, k.actor, outlay.TagsPlan, "label "+l.Tag+"="+l.Value, "stands for "+l.Original+": the plain label is taken")
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// handles says where User is somebody's address: people find their own costs by their handle.
func (k *labelKeeper) handles(ctx context.Context, tx outlay.Tx) error {
	i := slices.IndexFunc(k.labels, func(l outlay.Label) bool { return l.Tag == "User" })
	if i < 0 {
		return nil
	}
	users, err := tx.Users(ctx)
	if err != nil {
		return err
	}
	for _, u := range users {
		if l := &k.labels[i]; strings.EqualFold(u.Email, l.Original) && u.Handle != l.Original {
			l.Note = strings.TrimSpace(l.Note + " Outlay finds this person's own costs by the handle " + u.Handle + "; tag that.")
		}
	}
	return nil
}

func (k *labelKeeper) put(ctx context.Context, tx outlay.Tx, l outlay.Label) error {
	return tx.PutLabel(ctx, outlay.LabelMeaning{OrgID: k.actor.OrgID, Provider: k.provider.Name(), Tag: l.Tag, Value: l.Value, Original: l.Original})
}

// tellApart appends a short hash of the original, for the label stands for another value already. What is too long for
// the provider with it loses letters before it.
func (k *labelKeeper) tellApart(l *outlay.Label) error {
	sum := sha256.Sum256([]byte(l.Original))
	suffix := "-" + hex.EncodeToString(sum[:4])
	for base := []rune(l.Value); len(base) > 0; base = base[:len(base)-1] {
		candidate := string(base) + suffix
		as, err := k.provider.Labels(map[string]string{l.Tag: candidate})
		if err == nil && len(as) == 1 && as[0].Value == candidate {
			l.Note = strings.TrimSpace(l.Note + fmt.Sprintf(" %s stands for another value already, so a short hash tells them apart.", l.Value))
			l.Value = candidate
			return nil
		}
	}
	return outlay.Errorf(outlay.CodeInvalid, "Use another value.", "%s=%s stands for another value already", l.Tag, l.Value).InField(l.Tag)
}

// lossy tells whether a provider's labels can make two values one.
func lossy(p outlay.Provider) bool {
	const probe = "Ada@example.org"
	as, err := p.Labels(map[string]string{"User": probe})
	return err == nil && len(as) == 1 && as[0].Value != probe
}
