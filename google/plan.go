package google

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
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
	pl := &planner{p: p, s: s, seen: seen, n: p.namesOf(s, seen.Identity)}
	pl.plan.Notes = append(pl.plan.Notes, seen.Notes...)
	switch {
	case isImported(s):
		return pl.imported()
	case s.Spec == nil:
		return pl.down()
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

// imported plans nothing: what somebody else set up is read, never changed and never destroyed.
func (pl *planner) imported() (outlay.Plan, error) {
	if pl.s.Spec != nil {
		pl.note("info", "This export was set up by somebody else. Outlay reads it and changes nothing of it.")
	}
	return pl.plan, nil
}

// up plans toward what was asked for: services, dataset, access, and then the one step that only a person can do.
func (pl *planner) up() (outlay.Plan, error) {
	if err := pl.checkSpec(); err != nil {
		return outlay.Plan{}, err
	}
	pl.notes()
	pl.services()
	if ownsDataset(pl.s, pl.n) {
		pl.dataset()
		pl.access()
	}
	pl.export()
	return pl.plan, nil
}

// ownsDataset tells whether a dataset of ours is part of the set-up: the FOCUS export writes into one that Google makes.
func ownsDataset(s *outlay.Source, n names) bool {
	_, made := ledgerRow(s, kindDataset)
	return made || n.Export != exportFocus
}

// checkSpec refuses what Google would refuse only half-way through, and a region that cannot change any more.
func (pl *planner) checkSpec() error {
	f := pl.s.Spec.Fields
	if pl.seen.Identity.AccountID == "" {
		return outlay.Errorf(outlay.CodeInternal, "", "a plan needs to know the account")
	}
	if !knownRegion(pl.s.Spec.Region) {
		return outlay.Errorf(outlay.CodeInvalid, "Choose a region of the list; US or EU unless there is a rule against it.", "%q is not a region that Outlay can put billing data in", clip(pl.s.Spec.Region, 40)).InField("region")
	}
	if project := f[fieldProject]; project != "" && !projectText.MatchString(project) {
		return outlay.Errorf(outlay.CodeInvalid, "Use the project ID of the Google Cloud console, not its name or number.", "%q is not a project ID", clip(project, 60)).InField(fieldProject)
	}
	if !slices.Contains([]exportKind{exportDetailed, exportStandard, exportFocus}, pl.n.Export) {
		return outlay.Errorf(outlay.CodeInvalid, "Use detailed, focus or standard.", "%q is not an export of Google's", clip(string(pl.n.Export), 40)).InField(fieldExport)
	}
	if _, err := readCap(f); err != nil {
		return err
	}
	if _, made := ledgerRow(pl.s, kindDataset); made && pl.n.Location != pl.s.Spec.Region {
		return outlay.Errorf(outlay.CodeConflict, "Deprovision first, or keep "+pl.n.Location+".", "the dataset is in %s; its region cannot change while it exists", pl.n.Location).InField("region")
	}
	if _, made := ledgerRow(pl.s, kindDataset); made && f[fieldProject] != "" && f[fieldProject] != pl.n.Project {
		return outlay.Errorf(outlay.CodeConflict, "Deprovision first, or keep "+pl.n.Project+".", "the dataset is in project %s; it cannot move while it exists", pl.n.Project).InField(fieldProject)
	}
	return nil
}

// readCap is how many bytes one query may read.
func readCap(fields map[string]string) (int64, error) {
	n, err := strconv.ParseInt(orElse(fields[fieldCap], defaultCap), 10, 32)
	if err != nil || n < 1 || n > 99999 {
		return 0, outlay.Errorf(outlay.CodeInvalid, "Write a whole number of GiB, such as 100.", "%q is not a read cap", clip(fields[fieldCap], 20)).InField(fieldCap)
	}
	return n << 30, nil
}

// notes are the sentences beside the plan: what is missing, what could not be seen, and what the choices mean.
func (pl *planner) notes() {
	pl.missing()
	pl.unseen("billing", "host", string(kindServices))
	if services, _ := pl.seen.Find(kindServices, pl.n.Project); services.Properties[servBigQ] != serviceOff {
		pl.unseen(string(kindDataset)) // else turning BigQuery on comes first, and shows what is there
	}
	id := pl.seen.Identity
	_, unread := pl.seen.Unknown["billing"]
	switch {
	case id.Extra[extraSandbox] == yes && pl.n.Project == id.AccountID, id.Scope.ID == "" && !unread:
		pl.note("block", "%s", sandboxText(id.AccountID))
	}
	if !isMultiRegion(pl.n.Location) {
		pl.note("warn", "In %s, history begins on the day when the export is turned on, and no earlier day ever comes. In US or EU Google fills in the month before as well. The region cannot change later.", pl.n.Location)
	}
	pl.note("info", "An organization policy on resource locations can forbid the region, and domain-restricted sharing can keep Google's writer out of the dataset. Google says so when the dataset is made, or when the export is turned on.")
}

// missing blocks a plan whose permissions lack; a soft one is a warning, and one that this plan does not need is nothing
// to speak of.
func (pl *planner) missing() {
	_, standing := ledgerRow(pl.s, kindDataset)
	needs := append(projectNeeds(pl.s, standing), billingNeeds()...)
	needs = append(needs, need{action: "bigquery.tables.getData"})
	var hard, soft []string
	for _, m := range pl.seen.Missing() {
		i := slices.IndexFunc(needs, func(n need) bool { return n.action == m.Action })
		switch {
		case i < 0:
		case needs[i].soft || pl.s.Spec == nil && m.Action == "bigquery.tables.getData":
			soft = append(soft, m.Action+" on "+m.Resource)
		default:
			hard = append(hard, m.Action+" on "+m.Resource)
		}
	}
	if len(hard) > 0 {
		pl.note("block", "The credential lacks %s: %s. Add the role shown, then check again.", plural(len(hard), "permission", "permissions"), strings.Join(hard, ", "))
	}
	if len(soft) > 0 {
		pl.note("warn", "The credential lacks %s that the run can do without: %s.", plural(len(soft), "permission", "permissions"), strings.Join(soft, ", "))
	}
}

// unseen blocks a plan that would rest on something that could not be read.
func (pl *planner) unseen(parts ...string) {
	for _, part := range parts {
		if why, ok := pl.seen.Unknown[part]; ok {
			pl.note("block", "Outlay could not look at everything: %s. Check again in a moment.", why)
		}
	}
	if why, ok := pl.seen.Unknown["members"]; ok {
		pl.note("info", "Which projects share this bill cannot be read (%s). Outlay then takes it that one set-up serves every project of this organization, and says so.", why)
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

// services plans to turn on what is off. Nothing is ever turned off again (clouds.md §1.3).
func (pl *planner) services() {
	seen, looked := pl.seen.Find(kindServices, pl.n.Project)
	if !looked || pl.unknown(kindServices) {
		return
	}
	c := outlay.Change{
		Action: outlay.ActionUpdate, Kind: kindServices, Name: pl.n.Project, Title: "Services", Step: "Turn the services on", Verify: "Check that the services are on",
		From: map[string]string{}, To: map[string]string{}, Needs: []string{"serviceusage.services.get", "serviceusage.services.enable", "serviceusage.operations.get"},
	}
	for _, s := range slices.Sorted(maps.Keys(seen.Properties)) {
		if seen.Properties[s] == serviceOff {
			c.From[s], c.To[s] = serviceOff, serviceOn
		}
	}
	if len(c.To) == 0 {
		pl.add(keep(c, "On already"))
		return
	}
	c.Detail = strings.Join(slices.Sorted(maps.Keys(c.To)), ", ") + " in project " + pl.n.Project + ". They stay on"
	pl.add(c)
}

// dataset plans the dataset, which is born with our labels.
func (pl *planner) dataset() {
	if pl.unknown(kindDataset) {
		return
	}
	seen, there := pl.seen.Find(kindDataset, pl.n.Dataset)
	c := outlay.Change{
		Action: outlay.ActionCreate, Kind: kindDataset, Name: pl.n.Dataset, Title: "BigQuery dataset", Detail: pl.n.Dataset + " in project " + pl.n.Project + ", location " + pl.n.Location, Step: "Create the dataset",
		To:    map[string]string{propProject: pl.n.Project, propLocation: pl.n.Location, propExpiration: never},
		Needs: []string{"bigquery.datasets.create", "bigquery.datasets.get"},
	}
	switch {
	case there && seen.State == outlay.StateForeign:
		pl.note("block", "The dataset %s exists already and was not made by Outlay for this. Nothing in it is touched.", pl.n.Dataset)
	case there && seen.Properties[propLocation] != pl.n.Location:
		pl.note("block", "The dataset %s is in %s, not in %s: somebody made it anew elsewhere, and a dataset cannot move. Deprovision with its tables kept, then provision again.", pl.n.Dataset, seen.Properties[propLocation], pl.n.Location)
	case !there:
		for k, v := range pl.p.ourLabels(pl.s, "") {
			c.To["label "+k] = v
		}
		pl.add(c)
	case seen.Properties[propExpiration] != never:
		c.Action, c.Step, c.Detail = outlay.ActionUpdate, "Keep tables from vanishing", "Tables of the dataset would vanish "+seen.Properties[propExpiration]
		c.From, c.To = map[string]string{propExpiration: seen.Properties[propExpiration]}, map[string]string{propExpiration: never}
		c.Needs = []string{"bigquery.datasets.get", "bigquery.datasets.update"}
		pl.add(c)
	default:
		pl.add(keep(c, "It is there already"))
	}
}

// access plans the entry that lets this credential read. Entries of others stay, Google's writer above all.
func (pl *planner) access() {
	principal := pl.seen.Identity.Principal
	if pl.unknown(kindDataset) || pl.unknown(kindAccess) || principal == "" || pl.foreign() {
		return
	}
	seen, there := pl.seen.Find(kindAccess, pl.n.Dataset)
	if _, dataset := pl.seen.Find(kindDataset, pl.n.Dataset); dataset && !there {
		return // the look did not ask for it
	}
	c := outlay.Change{
		Action: outlay.ActionUpdate, Kind: kindAccess, Name: pl.n.Dataset, Title: "Reader of the dataset", Detail: principal + " may read it. Entries of others stay", Step: "Let the reader in",
		To: map[string]string{propReader: principal}, Needs: []string{"bigquery.datasets.get", "bigquery.datasets.update"},
	}
	if seen.Properties[propReader] == principal {
		pl.add(keep(c, "As wanted"))
		return
	}
	pl.add(c)
}

func (pl *planner) foreign() bool {
	d, there := pl.seen.Find(kindDataset, pl.n.Dataset)
	return there && d.State == outlay.StateForeign
}

// export plans the person's step, until the table is there or Google's writer shows that it was done.
func (pl *planner) export() {
	if pl.unknown(kindTable) || pl.n.Billing == "" || pl.foreign() {
		return
	}
	c := outlay.Change{
		Action: outlay.ActionManual, Kind: kindTable, Name: pl.n.Table, Title: "Turn on the billing export", Step: "Turn on the billing export",
		Detail: pl.n.Export.title() + " of billing account " + pl.n.Billing + ", in the Google Cloud console: Google offers no API for it",
	}
	_, there := pl.seen.Find(kindTable, pl.n.Table)
	access, _ := pl.seen.Find(kindAccess, pl.n.Dataset)
	switch {
	case there:
		c.Title = "Billing export"
		pl.add(keep(c, "It is there already"))
	case access.Properties[propWriter] == present && pl.n.Export != exportFocus && !pl.otherExport():
		c.Title = "Billing export"
		pl.add(keep(c, "Turned on: Google's writer is in the access list. The table comes with the first data, some hours later"))
	default:
		c.Manual = pl.instruction()
		pl.add(c)
	}
}

// otherExport tells whether Google's writer is there for another export than the one asked for.
func (pl *planner) otherExport() bool {
	access, _ := pl.seen.Find(kindAccess, pl.n.Dataset)
	return access.Properties[propExport] != ""
}
