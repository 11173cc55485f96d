package azure

import (
	"fmt"
	"slices"
	"strings"

	"outlay"
)

// planner builds one plan from one observation.
type planner struct {
	p    *Provider
	s    *outlay.Source
	seen outlay.Observation
	n    names
	plan outlay.Plan
}

// Plan lists the changes from seen to what the source asks for; with no Spec, to nothing. It does no I/O, and the same
// input gives the same plan.
func (p *Provider) Plan(s *outlay.Source, seen outlay.Observation) (outlay.Plan, error) {
	pl := &planner{p: p, s: s, seen: seen}
	pl.plan.Notes = append(pl.plan.Notes, seen.Notes...)
	if s.Origin == outlay.OriginImported {
		return pl.plan, nil // read, never changed, never deleted
	}
	id := seen.Identity
	if id.Scope.ID == "" {
		id.Scope = s.Scope
	}
	pl.n = p.namesOf(s, id)
	switch {
	case s.Spec == nil:
		return pl.down()
	case s.Spec.Fields[fieldBackfill] != "":
		return pl.backfill(s.Spec.Fields[fieldBackfill])
	}
	return pl.up()
}

func (pl *planner) note(level, format string, args ...any) {
	pl.plan.Notes = append(pl.plan.Notes, outlay.Note{Level: level, Text: fmt.Sprintf(format, args...)})
}

func (pl *planner) add(c outlay.Change) {
	if c.Action == outlay.ActionCreate {
		c.Settle = pl.p.settle(c.Kind)
	}
	pl.plan.Changes = append(pl.plan.Changes, c)
}

// field is what was chosen in the form, else the field's default.
func (pl *planner) field(name string) string {
	if v := pl.s.Spec.Fields[name]; v != "" {
		return v
	}
	for _, f := range provisionFields() {
		if f.Name == name {
			return f.Default
		}
	}
	return ""
}

// up plans toward what was asked for, in the order in which the parts need each other.
func (pl *planner) up() (outlay.Plan, error) {
	if err := pl.checkSpec(); err != nil {
		return outlay.Plan{}, err
	}
	pl.missing()
	pl.unseen()
	pl.registrations()
	pl.group()
	pl.account()
	pl.container()
	pl.exports()
	pl.inheritance()
	pl.restates()
	return pl.plan, nil
}

// checkSpec refuses what Azure would refuse only half-way through.
func (pl *planner) checkSpec() error {
	if pl.seen.Identity.AccountID == "" {
		return outlay.Errorf(outlay.CodeInternal, "", "a plan needs to know the subscription")
	}
	if !knownRegion(pl.s.Spec.Region) {
		return outlay.Errorf(outlay.CodeInvalid, "Choose a region of the list.", "%q is not a region that Outlay can put billing data in", clip(pl.s.Spec.Region, 40)).InField("region")
	}
	for _, f := range provisionFields() {
		if v := pl.s.Spec.Fields[f.Name]; v != "" && len(f.Options) > 0 && !slices.ContainsFunc(f.Options, func(o outlay.Region) bool { return o.ID == v }) {
			return outlay.Errorf(outlay.CodeInvalid, "Choose one of the list.", "%q is not a choice of %q", clip(v, 40), f.Title).InField(f.Name)
		}
	}
	scope, err := parseScope(pl.field(fieldScope), pl.s.Spec.Fields[fieldScopeID], pl.seen.Identity.AccountID)
	if err != nil {
		return err
	}
	if pl.n.Scope != "" && !strings.EqualFold(scope.ID, pl.n.Scope) {
		return outlay.Errorf(outlay.CodeConflict, "Deprovision first, or keep "+pl.n.Scope+".", "the export is about %s; that cannot change while it exists", pl.n.Scope).InField(fieldScope)
	}
	if pl.s.Spec.Region != pl.n.Region {
		return outlay.Errorf(outlay.CodeConflict, "Deprovision first, or keep "+pl.n.Region+".",
			"the storage account is in %s; its region cannot change while it exists", pl.n.Region).InField("region")
	}
	if set := pl.field(fieldDataset); scopeKind(scope.ID) == scopeManagement && (set == datasetFocus || set == datasetPair) {
		return outlay.Errorf(outlay.CodeInvalid, "Choose Usage, or another scope.", "Azure exports neither FOCUS nor amortized costs of a management group").InField(fieldDataset)
	}
	return nil
}

// missing blocks a plan whose permissions lack; a soft one is a warning, and one that this plan does not need is
// nothing to speak of.
func (pl *planner) missing() {
	needs := needsOf(pl.s)
	var hard, soft []string
	missing := pl.seen.Missing()
	isMissing := func(action string) bool {
		return slices.ContainsFunc(missing, func(m outlay.Permission) bool { return m.Action == action })
	}
	noAccess := isMissing(actAssignmentsWrite) && isMissing(actKeys)
	for _, m := range missing {
		i := slices.IndexFunc(needs, func(n need) bool { return n.action == m.Action })
		switch {
		case i < 0, m.Action == registerAction(exportsProvider) && !pl.registers(), m.Action == actProvidersRead && pl.unknown(kindRegistration):
			continue
		case needs[i].soft && !(noAccess && m.Action == actAssignmentsWrite):
			soft = append(soft, m.Action)
		default:
			hard = append(hard, m.Action)
		}
	}
	if len(hard) > 0 {
		todo := "Add the role shown, then check again."
		if missingRole(missing) == "" {
			todo = noRoleHere
		}
		pl.note("block", "The credential lacks %s: %s. %s", plural(len(hard), "permission", "permissions"), strings.Join(hard, ", "), todo)
	}
	if len(soft) > 0 {
		pl.note("warn", "The credential lacks %s that the run can do without: %s.", plural(len(soft), "permission", "permissions"), strings.Join(soft, ", "))
	}
}

// unseen blocks a plan that would rest on something that could not be read.
func (pl *planner) unseen() {
	for _, part := range []outlay.ResourceKind{kindGroup, kindAccount, kindContainer, kindExport} {
		if why, ok := pl.seen.Unknown[string(part)]; ok {
			pl.note("block", "Outlay could not look at everything: %s. Check again in a moment.", why)
		}
	}
	if why, ok := pl.seen.Unknown[string(kindInheritance)]; ok {
		pl.note("warn", "Outlay could not look at everything: %s.", why)
	}
}

func (pl *planner) unknown(kind outlay.ResourceKind) bool {
	_, ok := pl.seen.Unknown[string(kind)]
	return ok
}

// keep turns a change into a line that says why nothing is done.
func keep(c outlay.Change, why string) outlay.Change {
	return outlay.Change{Action: outlay.ActionKeep, Kind: c.Kind, Name: c.Name, Title: c.Title, Detail: why, Holds: c.Holds}
}

// differences are the settings that are not as wanted, as they are and as they should be. Settings that we do not own
// are not compared, and neither is letter case, which Azure's answers do not keep.
func differences(is, want map[string]string) (from, to map[string]string) {
	from, to = map[string]string{}, map[string]string{}
	for k, v := range want {
		if strings.EqualFold(is[k], v) {
			continue
		}
		to[k] = v
		if old, ok := is[k]; ok {
			from[k] = old
		}
	}
	return from, to
}
