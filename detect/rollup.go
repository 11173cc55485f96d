package detect

import (
	"fmt"
	"time"

	"outlay"
)

// Facts is everything that an account's status is rolled up from. It is plain data: what was read, not how.
type Facts struct {
	Now       time.Time
	Title     string        // of the provider
	FirstData string        // "First costs appear within 24 hours."
	Late      time.Duration // outlay.ProviderInfo.StaleAfter
	// Previous is the status so far, with the axes of the last look.
	Previous outlay.BillingStatus
	// Looked tells whether a look at the account has ever found out what there is.
	Looked   bool
	NextLook time.Time
	Every    time.Duration // the interval of the looks
	Sources  []SourceFacts // of the account's provider
}

// SourceFacts is what matters of one source for one account.
type SourceFacts struct {
	ID, OwnerID, OwnerName string
	Own                    bool // the account owns it
	Wanted                 bool // not deprovisioned
	// Waits is why its run stopped; Running is set while a run works on it. Asks says that the run waits for a person,
	// since AskedAt.
	Waits   string
	Running bool
	Asks    bool
	AskedAt time.Time
	// Ended says why it delivers no more; only where not Wanted.
	Ended string
	// Imported says that it reads an export which somebody else set up.
	Imported bool
	// Basis says how we know that the account is invoiced through its scope; "" when it is not.
	Basis outlay.CoverageBasis
	// Made is set when something of it was made and is not missing; Missing names what is surely gone.
	Made    bool
	Missing []string
	// Published is set when it has charges on show; Covers when some of them are the account's own; Member when the
	// account is invoiced through its scope.
	Published, Covers, Member bool
	DataThrough, DeliveredAt  time.Time
}

// delivers tells whether the account's costs arrive by this source.
func (s SourceFacts) delivers() bool {
	return s.Wanted && len(s.Missing) == 0 && s.Published && (s.Own || s.Covers)
}

// Rollup says in one of the three words, and one sentence, how an account's billing data stands. Provisioned is only
// what was seen; a look that failed changes nothing (reliability.md §3.1 rule 11).
func Rollup(f Facts) outlay.BillingStatus {
	b := f.Previous
	b.At, b.NextLook = f.Now, f.NextLook
	b.Via, b.OwnerID, b.Basis, b.DataThrough, b.DeliveredAt = "", "", "", time.Time{}, time.Time{}
	b.Status, b.Reason = outlay.Unprovisioned, f.without()
	switch via := f.best(); {
	case via != nil:
		b.Status, b.Reason = outlay.Provisioned, f.arrival(*via)
		b.Via, b.OwnerID, b.Basis, b.DataThrough, b.DeliveredAt = via.ID, via.OwnerID, via.basis(), via.DataThrough, via.DeliveredAt
	case !f.Looked && !b.CouldNotCheckSince.IsZero():
		b.Status, b.Reason = outlay.Checking, "We could not look yet. "+b.CouldNotCheckWhy
	case !f.Looked:
		b.Status, b.Reason = outlay.Checking, "We are looking for cost data."
	}
	if s := f.expected(); b.Via == "" && s != nil {
		b.OwnerID, b.Basis = s.OwnerID, s.basis()
	}
	if b.Status != f.Previous.Status || b.Since.IsZero() {
		b.Since = f.Now
	}
	b.Axes = withAxis(b.Axes, f.dataAxis(b))
	return b
}

// arrival says of the source that delivers how it does.
func (f Facts) arrival(via SourceFacts) string {
	if f.stale(via.DeliveredAt) {
		return fmt.Sprintf("Cost data is here, but nothing new has come since %s. Checked every %s.", clock(via.DeliveredAt), interval(f.Every))
	}
	return "Cost data is arriving. Found by itself, checked every " + interval(f.Every) + "."
}

// stale tells whether the newest delivery is so old that one should have come since.
func (f Facts) stale(delivered time.Time) bool {
	return !delivered.IsZero() && f.Now.Sub(delivered) > f.Late
}

// interval is a duration as a sentence has it after 'every'.
func interval(d time.Duration) string {
	for _, unit := range []struct {
		name string
		of   time.Duration
	}{{"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		switch n := d / unit.of; {
		case n == 1 && d == unit.of:
			return unit.name
		case n >= 1 && d%unit.of == 0:
			return fmt.Sprintf("%d %ss", n, unit.name)
		}
	}
	return "hour"
}

// best is the delivering source with the newest data; nil when none delivers.
func (f Facts) best() *SourceFacts {
	var best *SourceFacts
	for i := range f.Sources {
		if s := &f.Sources[i]; s.delivers() && (best == nil || s.DataThrough.After(best.DataThrough)) {
			best = s
		}
	}
	return best
}

// expected is the source that the account's costs are to come by, where none delivers them yet: its own, else another's
// that covers it.
func (f Facts) expected() *SourceFacts {
	var best *SourceFacts
	for i := range f.Sources {
		s := &f.Sources[i]
		if s.Wanted && (s.Own || s.Covers || s.Member) && (best == nil || s.Own && !best.Own || best.Basis == outlay.CoveredByRule && s.Basis != outlay.CoveredByRule && !best.Own) {
			best = s
		}
	}
	return best
}

// basis is how we know that another's source covers the account; "" for its own.
func (s SourceFacts) basis() outlay.CoverageBasis {
	switch {
	case s.Own:
		return ""
	case s.Covers:
		return outlay.CoveredBySeen
	}
	return s.Basis
}

// without says why no data arrives: the nearest thing to a source of the account's own first.
func (f Facts) without() string {
	anywhere := fmt.Sprintf("Provision billing here, or on any other %s account.", f.Title)
	for _, say := range []func(SourceFacts) string{f.ownReason, f.sharedReason, f.removedReason} {
		for _, s := range f.Sources {
			if text := say(s); text != "" {
				return text
			}
		}
	}
	return "No cost data. " + anywhere
}

// ownReason is for the account that owns the source.
func (f Facts) ownReason(s SourceFacts) string {
	switch {
	case !s.Own || !s.Wanted:
		return ""
	case len(s.Missing) > 0:
		return fmt.Sprintf("No new cost data: %s is gone. %s; loaded costs stay.", s.Missing[0], s.repair("Repair makes it again"))
	case s.Running && !s.Published:
		return "No cost data yet. Billing is being provisioned."
	case s.Asks && s.Published:
		return joined("No new cost data.", sentence(s.Waits), f.reminder(s))
	case s.Asks:
		return joined("No cost data yet.", sentence(s.Waits), f.reminder(s))
	case s.Waits != "":
		return joined("No cost data yet. The run stopped:", sentence(s.Waits))
	case s.Imported:
		return "An existing export is read here; none of its cost data is loaded yet."
	case s.Made:
		return joined("Billing is set up here; no cost data yet.", f.FirstData)
	}
	return "No cost data yet. Provisioning has not finished."
}

// sharedReason is for the accounts that a source of another account is expected to cover.
func (f Facts) sharedReason(s SourceFacts) string {
	switch {
	case s.Own || !s.Wanted || !s.Covers && !s.Member:
		return ""
	case len(s.Missing) > 0:
		return fmt.Sprintf("No new cost data: %s is gone on %s. %s; loaded costs stay.", s.Missing[0], s.OwnerName, s.repair("Repair it there"))
	case s.Published:
		return joined(fmt.Sprintf("Billing is set up on %s; none of its cost data is of this account yet.", s.OwnerName), f.ruleText(s))
	case s.Asks:
		return joined(fmt.Sprintf("Billing is being set up on %s, which waits for a person.", s.OwnerName), f.reminder(s), f.ruleText(s))
	case s.Imported:
		return joined(fmt.Sprintf("An existing export is read through %s; none of its cost data is loaded yet.", s.OwnerName), f.ruleText(s))
	case s.Made:
		return joined(fmt.Sprintf("Billing is set up on %s; no cost data yet.", s.OwnerName), f.FirstData, f.ruleText(s))
	}
	return ""
}

// repair says what helps when something is gone.
func (s SourceFacts) repair(ours string) string {
	if s.Imported {
		return "It was set up by somebody else, who has to restore it"
	}
	return ours
}

// remindAfter is how long a run waits for a person before that is said again.
const remindAfter = 24 * time.Hour

// reminder is said once a person has been waited for too long.
func (f Facts) reminder(s SourceFacts) string {
	if s.AskedAt.IsZero() || f.Now.Sub(s.AskedAt) < remindAfter {
		return ""
	}
	return fmt.Sprintf("Reminder: this has waited since %s; until it is done, nothing is delivered.", clock(s.AskedAt))
}

// ruleText says when an account follows a source by the rule alone.
func (f Facts) ruleText(s SourceFacts) string {
	if s.Basis != outlay.CoveredByRule {
		return ""
	}
	return fmt.Sprintf("It follows by the rule that one set-up serves every %s account; who is invoiced together could not be read from %s.", f.Title, f.Title)
}

// removedReason is for accounts whose data came from a source that is gone.
func (f Facts) removedReason(s SourceFacts) string {
	if s.Wanted || !s.Published || !s.Own && !s.Covers {
		return ""
	}
	why := s.Ended
	if why == "" {
		why = "billing was deprovisioned"
	}
	return fmt.Sprintf("No new cost data: %s. Loaded costs stay. Provision billing here, or on any other %s account.", why, f.Title)
}

// dataAxis tells through which day the account's charges reach.
func (f Facts) dataAxis(b outlay.BillingStatus) outlay.Axis {
	a := outlay.Axis{Name: AxisData, At: f.Now}
	switch {
	case b.Status == outlay.Checking:
		a.State, a.Reason = outlay.AxisUnknown, "Not looked at yet."
	case b.Status == outlay.Unprovisioned:
		a.State, a.Reason = outlay.AxisNone, b.Reason
	case f.stale(b.DeliveredAt):
		a.State, a.Reason = outlay.AxisBad, fmt.Sprintf("Costs through %s; nothing new since %s.", day(b.DataThrough), clock(b.DeliveredAt))
	default:
		a.State, a.Reason = outlay.AxisGood, fmt.Sprintf("Costs through %s.", day(b.DataThrough))
	}
	return a
}

// day is the last day that an exclusive end includes.
func day(end time.Time) string {
	if end.IsZero() {
		return "an unknown day"
	}
	return end.Add(-time.Nanosecond).UTC().Format("2 Jan 2006")
}

// withAxis replaces the axis of a's name, or appends it; the given slice is left as it is.
func withAxis(axes []outlay.Axis, a outlay.Axis) []outlay.Axis {
	out := make([]outlay.Axis, 0, len(axes)+1)
	for _, x := range axes {
		if x.Name != a.Name {
			out = append(out, x)
		}
	}
	return append(out, a)
}
