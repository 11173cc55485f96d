package detect

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"outlay"
)

// axes brings the account's axes up to what this look found. What could not be read keeps its last finding, but for
// the credential, whose failure is itself a finding. The axis of the data is added by Refresh.
func (v *visit) axes(last []outlay.Axis) []outlay.Axis {
	now := v.Clock.Now()
	out := []outlay.Axis{v.credentialAxis()}
	own := v.primary()
	if own == nil {
		for _, name := range []string{AxisInfrastructure, AxisExport, AxisTags} {
			out = append(out, outlay.Axis{Name: name, State: outlay.AxisNone, Reason: "Nothing is set up on this account.", At: now})
		}
		return append(out, axis(last, AxisData))
	}
	for _, a := range []outlay.Axis{own.infrastructureAxis(), own.exportAxis(now, v.about()), own.tagsAxis()} {
		if a.State == "" {
			a = axis(last, a.Name)
		} else {
			a.At = now
		}
		if a.State == "" {
			a = outlay.Axis{Name: a.Name, State: outlay.AxisUnknown, Reason: "Could not be read yet.", At: now}
		}
		out = append(out, a)
	}
	return append(out, axis(last, AxisData))
}

func (v *visit) about() outlay.ProviderInfo {
	if v.provider == nil {
		return outlay.ProviderInfo{}
	}
	return v.provider.About()
}

// primary is the source that the account's page speaks of: one we made before an imported one.
func (v *visit) primary() *source {
	var found *source
	for i := range v.sources {
		if s := &v.sources[i]; found == nil || s.Origin == outlay.OriginCreated && found.Origin != outlay.OriginCreated {
			found = s
		}
	}
	return found
}

func (v *visit) credentialAxis() outlay.Axis {
	a := outlay.Axis{Name: AxisCredential, State: outlay.AxisGood, Reason: "Signed in to account " + v.account.Identity.AccountID + ".", At: v.Clock.Now()}
	if v.failed == nil || slices.ContainsFunc(v.sources, func(s source) bool { return s.observed }) {
		return a
	}
	e := outlay.AsError(v.failed)
	a.State, a.Reason = outlay.AxisBad, sentence(e.Message)
	if e.Code.Retryable() || e.Code == outlay.CodeInternal {
		a.State = outlay.AxisUnknown
	}
	return a
}

// infrastructureAxis compares what is there with what was planned. No state means: nothing was found out.
func (s *source) infrastructureAxis() outlay.Axis {
	a := outlay.Axis{Name: AxisInfrastructure}
	switch {
	case s.asks != nil:
		a.State, a.Reason = outlay.AxisPending, sentence(s.asks.Problem.Message)
		return a
	case s.busy:
		a.State, a.Reason = outlay.AxisPending, "A run works on it."
		return a
	case !s.observed, s.unread() != nil:
		return a
	case s.Origin != outlay.OriginCreated:
		a.State, a.Reason = s.foreignHealth()
		return a
	}
	var gone, changed, asked []string
	good := 0
	for _, r := range s.Resources {
		if exists(r) {
			good++
		}
	}
	for _, c := range s.left {
		if c.Auto || c.Hold != "" {
			continue
		}
		switch c.Action {
		case outlay.ActionCreate:
			gone = append(gone, c.Title)
		case outlay.ActionManual:
			asked = append(asked, c.Title)
		default:
			changed = append(changed, c.Title)
		}
	}
	switch {
	case len(gone) > 0:
		a.State, a.Reason = outlay.AxisBad, fmt.Sprintf("Not found: %s. Repair makes it again.", strings.Join(gone, ", "))
	case len(changed) > 0:
		a.State, a.Reason = outlay.AxisBad, fmt.Sprintf("Changed by somebody else: %s. Repair puts it right.", strings.Join(changed, ", "))
	case len(asked) > 0:
		a.State, a.Reason = outlay.AxisBad, fmt.Sprintf("Needs you: %s. Repair says how.", strings.Join(asked, ", "))
	default:
		a.State, a.Reason = outlay.AxisGood, fmt.Sprintf("%d resources, all as planned.", good)
	}
	return a
}

// foreignHealth is how an imported export stands: nothing of it is ours to repair, but people must hear of it.
func (s *source) foreignHealth() (outlay.AxisState, string) {
	for _, r := range s.seen.Resources {
		switch {
		case r.State == outlay.StateMissing:
			return outlay.AxisBad, joined(r.Name+" is gone.", sentence(r.LastError), "It was set up by somebody else, so Outlay does not repair it.")
		case r.LastError != "":
			return outlay.AxisBad, joined(r.Name+":", sentence(r.LastError), "It was set up by somebody else, so Outlay does not repair it.")
		}
	}
	for _, n := range s.seen.Notes {
		if n.Level == "warn" || n.Level == "block" {
			return outlay.AxisBad, n.Text
		}
	}
	return outlay.AxisGood, "Read only: it was set up by somebody else."
}

// exportAxis tells how deliveries arrive, by the provider's own time.
func (s *source) exportAxis(now time.Time, info outlay.ProviderInfo) outlay.Axis {
	a := outlay.Axis{Name: AxisExport}
	if s.listErr != nil && outlay.CodeOf(s.listErr) == outlay.CodeNotFound {
		a.State, a.Reason = outlay.AxisBad, sentence(outlay.AsError(s.listErr).Message)
		return a
	}
	if !s.listed {
		if s.observed && s.listErr == nil {
			a.State, a.Reason = outlay.AxisPending, "Not set up yet."
		}
		return a
	}
	var newest time.Time
	for _, d := range s.deliveries {
		if d.Version.After(newest) {
			newest = d.Version
		}
	}
	switch {
	case newest.IsZero():
		a.State, a.Reason = outlay.AxisPending, joined("No delivery yet.", info.FirstData)
	case now.Sub(newest) > info.StaleAfter():
		a.State, a.Reason = outlay.AxisBad, fmt.Sprintf("No new delivery since %s.", clock(newest))
	default:
		a.State, a.Reason = outlay.AxisGood, fmt.Sprintf("Last delivery %s.", clock(newest))
	}
	return a
}

// tagsAxis counts the wanted tags that are on. No state means: they were not read by this look.
func (s *source) tagsAxis() outlay.Axis {
	a := outlay.Axis{Name: AxisTags}
	if s.Spec == nil || len(s.Spec.Tags) == 0 {
		a.State, a.Reason = outlay.AxisNone, "Tags are left alone."
		return a
	}
	if !s.look.Tags || !s.observed || s.unread() != nil {
		return a
	}
	off, why := 0, ""
	for _, c := range s.left {
		if c.Auto {
			off++
			why = c.Hold
		}
	}
	total := len(s.Spec.Tags)
	switch off {
	case 0:
		a.State, a.Reason = outlay.AxisGood, fmt.Sprintf("All %d tags are on.", total)
	default:
		a.State = outlay.AxisPending
		a.Reason = joined(fmt.Sprintf("%d of %d tags are on; the other %d are tried at every look.", max(total-off, 0), total, off), sentence(why))
	}
	return a
}

// clock is a time as people read it.
func clock(t time.Time) string { return t.UTC().Format("15:04 UTC, 2 Jan 2006") }

// sentence makes a message a sentence.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	s = strings.ToUpper(s[:1]) + s[1:]
	return strings.TrimSuffix(s, ".") + "."
}

func joined(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, " ")
}
