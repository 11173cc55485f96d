package control

import (
	"context"
	"fmt"

	"outlay"
)

// StopReadingRequest ends the reading of an imported export.
type StopReadingRequest struct {
	SourceID      string // id or name
	RemoveHistory bool
	Confirm       string // the source's name, typed
}

// StopReadingView is what ending it means.
type StopReadingView struct {
	SourceRef
	AccountID   string   `json:"accountId"`
	AccountName string   `json:"accountName"`
	Provider    string   `json:"provider"` // title
	Heading     string   `json:"heading"`
	Text        string   `json:"text"`
	Losing      []string `json:"losing"` // names of the accounts that lose new data
	Months      int      `json:"months"` // of loaded history
}

// PlanStopReading shows what stops when an imported export is not read any more.
func (c *Control) PlanStopReading(ctx context.Context, a outlay.Actor, idOrName string) (StopReadingView, error) {
	if err := c.must(ctx, a, outlay.BillingPlan, "source "+idOrName); err != nil {
		return StopReadingView{}, err
	}
	src, s, err := c.imported(ctx, a, idOrName)
	if err != nil {
		return StopReadingView{}, err
	}
	v := StopReadingView{SourceRef: SourceRef{src.ID, src.Name}, AccountID: s.account.ID, AccountName: s.account.Name, Provider: c.title(src.Provider)}
	for _, acc := range append([]outlay.CloudAccount{s.account}, s.others...) {
		if acc.Status.Via == src.ID || acc.ID == s.account.ID && len(s.imports()) == 1 && acc.Status.Via == "" {
			v.Losing = append(v.Losing, acc.Name)
		}
	}
	v.Heading = fmt.Sprintf("Outlay stops reading %s", src.Name)
	v.Text = fmt.Sprintf("Nothing is changed in %s: the export stays, and goes on delivering to whoever set it up.", v.Provider)
	switch {
	case len(v.Losing) == 1:
		v.Text += fmt.Sprintf(" %s gets no new costs by it here.", v.Losing[0])
	case len(v.Losing) > 1:
		v.Text += fmt.Sprintf(" %s get no new costs by it here.", join(v.Losing))
	}
	v.Text += " What is loaded stays readable, unless you also remove it."
	v.Months, err = c.months(ctx, a, src.ID)
	return v, err
}

// imported finds a source that reads an existing export.
func (c *Control) imported(ctx context.Context, a outlay.Actor, idOrName string) (outlay.Source, setting, error) {
	var src outlay.Source
	err := c.deps.Store.ReadOrg(ctx, a.OrgID, func(tx outlay.Tx) (err error) { src, err = findSource(ctx, tx, idOrName); return err })
	if err != nil {
		return src, setting{}, err
	}
	if src.Origin != outlay.OriginImported || src.Desired != outlay.Present {
		return src, setting{}, outlay.Errorf(outlay.CodeConflict, "What Outlay set up is removed by deprovisioning it; files are removed with their history.", "%s is not an existing export that is read", src.Name)
	}
	s, err := c.neighbours(ctx, a, src.AccountID)
	return src, s, err
}

// StopReading ends the reading of an imported export. It makes no call to the provider: the export stays as it is. What
// was loaded stays, unless its removal is asked for.
func (c *Control) StopReading(ctx context.Context, a outlay.Actor, r StopReadingRequest) error {
	if err := c.must(ctx, a, outlay.BillingDeprovision, "source "+r.SourceID); err != nil {
		return err
	}
	src, s, err := c.imported(ctx, a, r.SourceID)
	if err != nil {
		return err
	}
	if err := typed(r.Confirm, src.Name); err != nil {
		return err
	}
	err = c.deps.Store.ForOrg(ctx, a.OrgID, func(tx outlay.Tx) error {
		stored, err := tx.Source(ctx, src.ID)
		if err != nil {
			return err
		}
		detail := "stopped reading " + src.Name + "; the export was not touched"
		if r.RemoveHistory {
			detail += ", and its loaded history is removed"
		}
		return c.endSource(ctx, tx, a, s.account, stored, detail)
	})
	if err != nil {
		return err
	}
	c.seen.forget(s.account.ID)
	if r.RemoveHistory {
		err = c.deps.Importer.RemoveHistory(ctx, a.OrgID, src.ID)
	}
	c.wake()
	return err
}

// endSource makes a source unwanted without a call to the provider: nothing of it is fetched any more, its account is
// looked at at once, and it is written down.
func (c *Control) endSource(ctx context.Context, tx outlay.Tx, a outlay.Actor, acc outlay.CloudAccount, src outlay.Source, detail string) error {
	src.Desired, src.Spec = outlay.Absent, nil
	if err := tx.PutSource(ctx, src); err != nil {
		return err
	}
	units, err := tx.Units(ctx, src.ID)
	if err != nil {
		return err
	}
	for _, u := range units {
		if u.State != outlay.UnitWaiting && u.State != outlay.UnitLoading {
			continue
		}
		u.State = outlay.UnitSuperseded
		if err := tx.PutUnit(ctx, u); err != nil {
			return err
		}
		if err := tx.DeleteTask(ctx, "ingest", u.ID); err != nil && outlay.CodeOf(err) != outlay.CodeNotFound {
			return err
		}
	}
	if err := tx.PutTask(ctx, outlay.Task{OrgID: a.OrgID, Kind: "look", Subject: acc.ID, NextAt: c.deps.Clock.Now(), Every: c.LookEvery}); err != nil {
		return err
	}
	return c.note(ctx, tx, a, outlay.BillingDeprovision, "account "+acc.Name, detail)
}
