package azure

import (
	"context"
	"strings"
	"time"

	"outlay"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/costmanagement/armcostmanagement/v3"
)

// What properties of an export say.
const (
	propRunError  = "run error"
	propPrincipal = "principal id" // of the export's own identity: what its access to the storage account hangs on

	scheduleDaily = "Daily, Active"
	frameMonth    = string(armcostmanagement.TimeframeTypeMonthToDate)
	grainDaily    = string(armcostmanagement.GranularityTypeDaily)
	splitYes      = "yes"
	splitNo       = "no"
	runNone       = "none yet"
	runRestate    = "due"
)

// exports looks for the source's exports, their runs, and the runs that are due.
func (o *observer) exports(ctx context.Context) {
	var all []export
	for _, name := range []string{o.n.Export, o.n.Amortized} {
		if name == o.n.Amortized && !o.looksForAmortized() {
			continue
		}
		e, found, err := o.p.findExport(ctx, o.ses, o.s, o.n.Scope, name)
		if err != nil {
			o.unknown(string(kindExport), err)
			return
		}
		if !found {
			continue
		}
		o.add(e.resource)
		if e.resource.State != outlay.StateForeign {
			all = append(all, e)
			o.due(e)
		}
	}
	o.firstRun(all)
}

// firstRun notes that every export ran, with how the last run of one ended: a failed one if there is any.
func (o *observer) firstRun(all []export) {
	r := outlay.Resource{Kind: kindFirstRun, Name: o.n.Export, Properties: map[string]string{}}
	for _, e := range all {
		newest, ran := e.newestRun()
		if !ran {
			return
		}
		if newest.submitted.After(r.Created) {
			r.Created, r.Owner = newest.submitted, e.resource.Owner
		}
		if r.Properties[propLastRun] == "" || newest.failed() {
			r.Properties[propLastRun] = newest.status
		}
		if newest.failed() && newest.why != "" {
			r.Properties[propRunError] = newest.why
		}
	}
	if len(all) > 0 {
		o.add(r)
	}
}

// looksForAmortized tells whether there may be a second export: one call less where there cannot.
func (o *observer) looksForAmortized() bool {
	if _, ok := ledgerNamed(o.s, kindExport, o.n.Amortized); ok {
		return true
	}
	main, ok := o.seen.Find(kindExport, o.n.Export)
	if !ok {
		return o.s.Spec == nil || o.s.Spec.Fields[fieldDataset] == datasetPair
	}
	return main.Properties[propDataset] == typeActual
}

// export is an export as it was read, with its latest runs and its tag of version.
type export struct {
	resource outlay.Resource
	runs     []run
	live     armcostmanagement.Export
}

// run is one run of an export.
type run struct {
	id         string
	submitted  time.Time
	start, end time.Time // of the costs
	status     string
	why        string // Azure's own words for a failed one
	scheduled  bool
}

// findExport reads the export of a name, with its last runs, and with foreign for one that is not ours.
func (p *Provider) findExport(ctx context.Context, ses session, s *outlay.Source, scope, name string) (export, bool, error) {
	client, err := ses.exports()
	if err != nil {
		return export{}, false, err
	}
	got, err := client.Get(ctx, scope, name, &armcostmanagement.ExportsClientGetOptions{Expand: to("runHistory")})
	if isGone(err) {
		return export{}, false, nil
	}
	if err != nil {
		return export{}, false, failure(err, exportCall(actExportRead, scope, "reading the export"))
	}
	e := export{live: got.Export, resource: exportResource(got.Export, p.opts.Clock.Now())}
	e.resource.Name = name
	e.resource.ProviderID = exportID(scope, name)
	if !p.ours(s, e.resource.Owner) {
		e.resource.State = outlay.StateForeign
	}
	if got.Properties != nil && got.Properties.RunHistory != nil {
		e.runs = runsOf(got.Properties.RunHistory.Value)
	}
	e.resource.Properties[propLastRun] = runNone
	if r, ok := e.newestRun(); ok {
		e.resource.Properties[propLastRun] = r.status
	}
	return e, true, nil
}

// history reads all runs that Azure remembers of an export.
func (ses session) history(ctx context.Context, scope, name string) ([]run, error) {
	client, err := ses.exports()
	if err != nil {
		return nil, err
	}
	got, err := client.GetExecutionHistory(ctx, scope, name, nil)
	if err != nil {
		return nil, failure(err, exportCall(actExportRead, scope, "reading the runs of the export"))
	}
	return runsOf(got.Value), nil
}

func exportCall(action, scope, doing string) call {
	return call{Action: action, Resource: "/" + strings.Trim(scope, "/"), Doing: doing}
}

func runsOf(list []*armcostmanagement.ExportRun) []run {
	var out []run
	for _, r := range list {
		if r == nil || r.Properties == nil {
			continue
		}
		p := r.Properties
		one := run{
			id: text(r.Name), submitted: when(p.SubmittedTime), start: when(p.StartDate), end: when(p.EndDate), status: text(p.Status),
			scheduled: strings.EqualFold(text(p.ExecutionType), string(armcostmanagement.ExecutionTypeScheduled)),
		}
		if p.Error != nil {
			one.why = orElse(text(p.Error.Message), text(p.Error.Code))
		}
		out = append(out, one)
	}
	return out
}

// finished tells whether a run is over. Azure also answers words that its documentation does not name: they are a run
// under way (clouds.md §3.3 step 9).
func (r run) finished() bool {
	switch armcostmanagement.ExecutionStatus(r.status) {
	case armcostmanagement.ExecutionStatusCompleted, armcostmanagement.ExecutionStatusFailed, armcostmanagement.ExecutionStatusTimeout,
		armcostmanagement.ExecutionStatusDataNotAvailable, armcostmanagement.ExecutionStatusNewDataNotAvailable:
		return true
	}
	return false
}

// failed tells whether a run came to a bad end; no data to deliver is none.
func (r run) failed() bool {
	return r.status == string(armcostmanagement.ExecutionStatusFailed) || r.status == string(armcostmanagement.ExecutionStatusTimeout)
}

// because is Azure's reason within a sentence that goes on.
func because(why string) string { return strings.TrimSuffix(withText(why), ".") }

func (e export) newestRun() (run, bool) {
	var newest run
	for _, r := range e.runs {
		if newest.submitted.IsZero() || r.submitted.After(newest.submitted) {
			newest = r
		}
	}
	return newest, len(e.runs) > 0
}

// exportResource is an export as a Resource. Settings that Azure adds by itself are left out, or each look would find
// drift.
func exportResource(e armcostmanagement.Export, now time.Time) outlay.Resource {
	r := outlay.Resource{Kind: kindExport, Name: text(e.Name), ProviderID: text(e.ID), Properties: map[string]string{propIdentity: identityNone}}
	if e.SystemData != nil {
		r.Created = when(e.SystemData.CreatedAt)
	}
	if e.Identity != nil && strings.EqualFold(text(e.Identity.Type), string(armcostmanagement.SystemAssignedServiceIdentityTypeSystemAssigned)) {
		r.Properties[propIdentity] = identitySystem
		r.Properties[propPrincipal] = text(e.Identity.PrincipalID)
	}
	p := e.Properties
	if p == nil {
		return r
	}
	r.Owner = parseDescription(text(p.ExportDescription))
	r.Properties[propFormat] = text(p.Format)
	r.Properties[propPack] = strings.ToLower(text(p.CompressionMode))
	r.Properties[propMode] = text(p.DataOverwriteBehavior)
	r.Properties[propSplit] = splitNo
	if p.PartitionData != nil && *p.PartitionData {
		r.Properties[propSplit] = splitYes
	}
	r.Properties[propSchedule] = scheduleText(p.Schedule, now)
	if p.SystemSuspensionContext != nil && p.SystemSuspensionContext.SuspensionCode != nil {
		r.Properties[propSchedule] += ", suspended by Azure (" + text(p.SystemSuspensionContext.SuspensionCode) + ")"
	}
	if d := p.Definition; d != nil {
		r.Properties[propDataset] = datasetOf(text(d.Type))
		r.Properties[propFrame], r.Properties[propGrain] = orElse(text(d.Timeframe), frameMonth), grainDaily
		if d.DataSet != nil {
			r.Properties[propGrain] = orElse(text(d.DataSet.Granularity), grainDaily)
			if d.DataSet.Configuration != nil {
				r.Properties[propVersion] = text(d.DataSet.Configuration.DataVersion)
			}
		}
	}
	if p.DeliveryInfo != nil && p.DeliveryInfo.Destination != nil {
		to := p.DeliveryInfo.Destination
		r.Properties[propTarget] = target(lastSegment(text(to.ResourceID)), text(to.Container), text(to.RootFolderPath))
	}
	return r
}

// datasetOf is a data set as we spell it; Azure's letter case varies.
func datasetOf(set string) string {
	for _, known := range []string{typeFocus, typeActual, typeAmortized, typeUsage} {
		if strings.EqualFold(set, known) {
			return known
		}
	}
	return set
}

// target says where an export delivers to: storage account, container, folder.
func target(account, container, root string) string {
	return strings.ToLower(account) + "/" + container + "/" + strings.Trim(root, "/")
}

func scheduleText(s *armcostmanagement.ExportSchedule, now time.Time) string {
	if s == nil {
		return "none"
	}
	out := text(s.Recurrence) + ", " + text(s.Status)
	if s.RecurrencePeriod != nil && s.RecurrencePeriod.To != nil && s.RecurrencePeriod.To.Before(now) {
		out += ", ended"
	}
	return out
}

// restateDays are the days of a month on which the month before is asked for once more: Azure rewrites it by itself on
// the first five days only, and charges may arrive later (clouds.md §3.4).
func restateDays() []int { return []int{6, 12} }

// due notes the runs of the last month that ought to be asked for and were not. Where the export is younger than the
// month, nothing was delivered that could be completed.
func (o *observer) due(e export) {
	now := o.seen.At
	month := outlay.PeriodOf(now).Start()
	last := month.AddDate(0, -1, 0)
	if scopeKind(o.n.Scope) == scopeProfile || !e.resource.Created.Before(month) {
		return
	}
	day := 0
	for _, d := range restateDays() {
		if now.Day() >= d {
			day = d
		}
	}
	since := month.AddDate(0, 0, day-1)
	name := backfillName(outlay.PeriodOf(last), e.resource.Name, since)
	if row, ok := ledgerNamed(o.s, kindBackfill, name); day == 0 || ok && done(row) {
		return // one that was refused is asked for again
	}
	for _, r := range e.runs {
		if covers(r, last) && !r.submitted.Before(since) {
			return
		}
	}
	o.add(outlay.Resource{Kind: kindBackfill, Name: name, State: outlay.StateMissing, Properties: map[string]string{propState: runRestate}})
}

// covers tells whether a run is about the whole month that begins at month.
func covers(r run, month time.Time) bool {
	return r.start.Year() == month.Year() && r.start.Month() == month.Month() && wholeMonth(r.start, r.end, r.submitted)
}

// backfillName names the run that is asked for a month of an export, at a time.
func backfillName(month outlay.Period, exportName string, asked time.Time) string {
	return string(month) + "/" + exportName + "/" + asked.UTC().Format(time.RFC3339)
}

// parseBackfill takes a backfillName apart.
func parseBackfill(name string) (month time.Time, exportName string, asked time.Time, ok bool) {
	parts := strings.Split(name, "/")
	if len(parts) != 3 {
		return time.Time{}, "", time.Time{}, false
	}
	period, err := outlay.ParsePeriod(parts[0])
	if err != nil {
		return time.Time{}, "", time.Time{}, false
	}
	if asked, err = time.Parse(time.RFC3339, parts[2]); err != nil {
		return time.Time{}, "", time.Time{}, false
	}
	return period.Start(), parts[1], asked, true
}

// imported looks how the export of an imported source stands. Nothing of it is ever changed.
func (o *observer) imported(ctx context.Context) {
	at, err := o.p.place(o.s)
	if err != nil {
		o.unknown(string(kindExport), err)
		return
	}
	for _, e := range at.Exports {
		found, there, err := o.p.findExport(ctx, o.ses, o.s, at.Scope, e.Name)
		if err != nil {
			o.unknown(string(kindExport), err)
			continue
		}
		r := found.resource
		if !there {
			r = outlay.Resource{Kind: kindExport, Name: e.Name, ProviderID: e.ID, Properties: map[string]string{propSchedule: "none"}}
			o.note("warn", "The export "+e.Name+" does not exist any more in Azure: no new costs will arrive.")
		}
		r.State, r.Owner = outlay.StateCreated, nil // it is somebody's, and that is as wanted
		if !there {
			r.State = outlay.StateMissing
		} else {
			o.health(found)
		}
		o.add(r)
	}
}

// health says what keeps an imported export from delivering.
func (o *observer) health(e export) {
	name, schedule := e.resource.Name, e.resource.Properties[propSchedule]
	if !strings.HasSuffix(strings.ToLower(schedule), ", active") {
		o.note("warn", "The export "+name+" has the schedule "+strings.ToLower(schedule)+": no new costs will arrive before it is active again.")
	}
	if newest, ok := e.newestRun(); ok && newest.failed() {
		o.note("warn", "The last run of the export "+name+" ended as "+newest.status+because(newest.why)+".")
	}
}
