package azure

import (
	"context"
	"database/sql"
	"fmt"
	"hash/fnv"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"outlay"
	"outlay/simcloud"
	"outlay/simcloud/bill"
)

// job is one run to be done.
type job struct {
	export string // id
	run    string
	spec   bill.AzureSpec
	parts  int
	csv    bool
	gzip   bool
	snappy bool
}

// Deliver runs every export whose schedule is active, and what somebody asked for. One call stands for one of Azure's
// days, whatever the time on the schedule: the current month is written as a whole, in the first five days of a month
// (and each RestateEvery) the one before too (clouds.md §3.4). Data reach to DataLag before now.
func (c *Cloud) Deliver(ctx context.Context, now time.Time) error { return c.runAll(ctx, now, true) }

// Run does the runs that somebody asked for, and finishes one that was torn.
func (c *Cloud) Run(ctx context.Context, now time.Time) error { return c.runAll(ctx, now, false) }

func (c *Cloud) runAll(ctx context.Context, now time.Time, scheduled bool) error {
	c.deliver.Lock()
	defer c.deliver.Unlock()
	jobs, err := c.jobs(now.UTC(), scheduled)
	if err != nil || len(jobs) == 0 {
		return err
	}
	db, err := bill.Open()
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	for _, j := range jobs {
		files, rows, err := c.generate(ctx, db, j)
		if err != nil {
			return fmt.Errorf("running %s for %s: %w", path.Base(j.export), j.spec.Period, err)
		}
		if err := c.put(j, files, rows, now.UTC()); err != nil {
			return fmt.Errorf("running %s for %s: %w", path.Base(j.export), j.spec.Period, err)
		}
	}
	return nil
}

// jobs takes up what is queued. Runs that cannot be done, or have nothing to deliver, end here.
func (c *Cloud) jobs(now time.Time, scheduled bool) ([]job, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	raised := map[string]bool{}
	var out []job
	for _, e := range c.state.Exports {
		if err := c.mend(e); err != nil {
			return nil, err
		}
		if scheduled && e.active() {
			c.schedule(e, now, raised)
		}
		for _, r := range e.Runs {
			if r.Status != "Queued" {
				continue
			}
			j, ok := c.begins(e, r, now)
			if ok {
				out = append(out, j)
			}
		}
	}
	return out, simcloud.Save(c.opt.Dir, c.state)
}

// schedule queues the runs of one day.
func (c *Cloud) schedule(e *export, now time.Time, raised map[string]bool) {
	current := outlay.PeriodOf(now)
	last := outlay.PeriodOf(current.Start().AddDate(0, -1, 0))
	due := []outlay.Period{current}
	reached, known := e.Through[string(last)]
	again := c.opt.RestateEvery > 0 && e.Deliveries > 0 && e.Deliveries%c.opt.RestateEvery == 0
	if now.Day() <= 5 || known && (again || reached.Before(last.End())) {
		due = append(due, last)
	}
	if e.Properties.Definition.Timeframe == "TheLastMonth" {
		due = []outlay.Period{last}
	}
	slices.Sort(due)
	for _, p := range due {
		from, to := monthOf(p.Start())
		key := c.payerOf(e) + string(p)
		if _, known := e.Through[string(p)]; known && !raised[key] {
			c.state.Revisions[key]++
			raised[key] = true
		}
		e.Runs = append(e.Runs, &run{ID: c.state.UUID(), Kind: "Scheduled", Status: "Queued", By: "System", From: from, To: to, Submitted: now})
	}
	e.Deliveries++
	if n := len(e.Runs); n > 200 {
		e.Runs = slices.Clone(e.Runs[n-200:])
	}
}

// begins moves a queued run on: to work, or to its end.
func (c *Cloud) begins(e *export, r *run, now time.Time) (job, bool) {
	r.Started = now
	if code, message := c.obstacle(e); code != "" {
		r.Status, r.Code, r.Message, r.Ended = "Failed", code, message, now
		return job{}, false
	}
	j := c.job(e, r, now)
	first := outlay.PeriodOf(now).Start().AddDate(0, -c.opt.HistoryMonths, 0)
	if !j.spec.Through.After(j.spec.Period.Start()) || j.spec.Period.Start().Before(first) {
		r.Status, r.Ended = "DataNotAvailable", now
		if c.opt.EmptyManifest {
			c.putEmpty(e, r)
		}
		return job{}, false
	}
	r.Status = "InProgress"
	return j, true
}

// obstacle tells why an export cannot write to its destination at present; the code is "" where it can.
func (c *Cloud) obstacle(e *export) (code, message string) {
	d := e.Properties.DeliveryInfo.Destination
	a := c.accountByID(d.ResourceID)
	if a == nil {
		return "StorageAccountNotFound", "The storage account " + path.Base(d.ResourceID) + " was not found."
	}
	if v, _ := a.Properties["publicNetworkAccess"].(string); v == "Disabled" {
		return "AuthorizationFailure", "The storage account refuses connections from public networks."
	}
	if scope, ok := a.Properties["allowedCopyScope"].(string); ok && scope != "" {
		return "CopyScopeNotAllowed", "The storage account restricts the scope of copies to " + scope + "."
	}
	switch {
	case e.Principal != "":
		if !c.decide(e.Principal, blobActions+"blobs/write", a.id()) {
			return "AuthorizationPermissionMismatch", "The identity of the export has no role on the storage account."
		}
	case !a.flag("allowSharedKeyAccess", true):
		return "KeyBasedAuthenticationNotPermitted", "Key-based authentication is not permitted on this storage account."
	}
	if a.container(d.Container) == nil { // the export makes it
		if _, fail := c.makeContainer(a, d.Container, nil); fail != nil {
			return fail.code, fail.message
		}
	}
	return "", ""
}

// payerOf is who is billed for what an export shows: the enrolment, the billing profile, or the subscription itself.
func (c *Cloud) payerOf(e *export) string {
	if c.state.Billing[normal(e.Scope)] != nil {
		return normal(e.Scope)
	}
	subs := c.subsUnder(e.Scope)
	if len(subs) == 0 {
		return normal(e.Scope)
	}
	if b := c.state.Subscriptions[subs[0]].Billing; b != "" {
		return b
	}
	return "/subscriptions/" + subs[0]
}

// subsUnder lists the subscriptions in a scope.
func (c *Cloud) subsUnder(scope string) []string {
	return c.subsOf(func(s *subscription) bool {
		id := normal("/subscriptions/" + s.ID)
		return c.covers(normal(scope), id) || strings.HasPrefix(normal(scope), id+"/") || s.Billing == normal(scope)
	})
}

// job says what goes into a run. A payer's bill has one revision for all exports that show it.
func (c *Cloud) job(e *export, r *run, now time.Time) job {
	p, payer, subs := outlay.PeriodOf(r.From), c.payerOf(e), c.subsUnder(e.Scope)
	through := now.Add(-c.opt.DataLag).Truncate(24 * time.Hour)
	if end := r.To.AddDate(0, 0, 1); through.After(end) {
		through = end
	}
	if through.After(p.End()) {
		through = p.End()
	}
	spec := bill.AzureSpec{Dataset: e.Properties.Definition.Type, Version: e.Properties.Definition.version(), Agreement: "MCA"}
	spec.Spec = bill.Spec{
		Payer: c.payer(payer, spec.Dataset), Period: p, Through: through, Rows: c.opt.RowsPerMonth, Seed: c.opt.Seed + seedOf(payer), Revision: c.state.Revisions[payer+string(p)],
		Tagged: outlay.TagKeys(), Only: subs,
	}
	everybody := c.subsOf(func(s *subscription) bool { return s.Billing == payer })
	if len(everybody) == 0 {
		everybody = subs
	}
	for _, id := range everybody {
		spec.Accounts = append(spec.Accounts, bill.Account{ID: id, Name: c.state.Subscriptions[id].Name})
		spec.Agreement = c.agreementOf(id)
	}
	for _, id := range subs {
		spec.Inherited = spec.Inherited || c.inherits(id, p.End())
	}
	if parts := strings.Split(strings.Trim(e.Scope, "/"), "/"); len(parts) == 4 && strings.EqualFold(parts[2], "resourceGroups") {
		spec.ResourceGroup = parts[3]
	}
	j := job{export: e.id(), run: r.ID, spec: spec, parts: 1}
	if e.Properties.PartitionData != nil && *e.Properties.PartitionData {
		j.parts = 2 + len(e.Runs)%2
	}
	j.csv = e.Properties.Format != "Parquet"
	j.gzip, j.snappy = strings.EqualFold(e.Properties.Compression, "gzip"), strings.EqualFold(e.Properties.Compression, "snappy")
	return j
}

// payer is who stands on the bill: FOCUS gives the whole id of an enrolment or profile, the older sets its last part.
func (c *Cloud) payer(id, dataset string) bill.Account {
	if b := c.state.Billing[id]; b != nil {
		if dataset == "FocusCost" {
			return bill.Account{ID: b.ID, Name: b.Name}
		}
		return bill.Account{ID: path.Base(b.ID), Name: b.Name}
	}
	sub := path.Base(id)
	if s := c.state.Subscriptions[sub]; s != nil {
		return bill.Account{ID: sub, Name: s.Name}
	}
	return bill.Account{ID: sub, Name: sub}
}

func seedOf(payer string) int64 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(payer)) // a hash never fails
	return int64(h.Sum32() % 1_000_000)
}

// generate writes the bill and cuts it into data files, with the rows of each.
func (c *Cloud) generate(ctx context.Context, db *sql.DB, j job) (files [][]byte, rows []int64, err error) {
	dir, err := os.MkdirTemp(c.opt.Dir, "bill-")
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	whole := dir + "/whole.parquet"
	totals, err := bill.WriteAzure(ctx, db, j.spec, whole)
	if err != nil {
		return nil, nil, err
	}
	each := totals.Rows/int64(j.parts) + 1
	for i := range j.parts {
		file, from := fmt.Sprintf("%s/%d", dir, i), int64(i)*each
		if _, err := db.ExecContext(ctx, j.cut(whole, file, from, each)); err != nil {
			return nil, nil, fmt.Errorf("cutting a bill into files: %w", err)
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, nil, err
		}
		if b, err = j.finish(b); err != nil {
			return nil, nil, err
		}
		files, rows = append(files, b), append(rows, max(0, min(each, totals.Rows-from)))
	}
	return files, rows, nil
}
