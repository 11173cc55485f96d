package provision_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"outlay"
	"outlay/aws"
	"outlay/detect"
	"outlay/operation"
	simaws "outlay/simcloud/aws"
)

// journey is a world whose looks and runs are done in this process, as the server does them.
type journey struct {
	*world
	cloud  *simaws.Cloud
	worker *operation.Worker
}

func newJourney(t *testing.T, tags ...string) *journey {
	t.Helper()
	w := newWorld(t, awsCase(), 0, tags...)
	j := &journey{world: w, worker: orders{Cloud: w.of.name, Connect: w.cloud.connect()}.worker(w.store, nil), cloud: w.cloud.(awsCloud).Cloud}
	detect.New(detect.Options{
		Store: w.store, Clock: outlay.SystemClock{}, Providers: map[outlay.ProviderName]outlay.Provider{aws.Name: w.provider}, Log: slog.New(slog.DiscardHandler),
	}).Register(j.worker)
	j.worker.HandleTask(detect.TaskIngest, func(context.Context, outlay.Task) (time.Duration, error) { return time.Hour, nil })
	return j
}

// look is "Check now" on every account.
func (j *journey) look() {
	j.t.Helper()
	j.tx(func(tx outlay.Tx) error {
		accounts, err := tx.Accounts(j.t.Context())
		for _, a := range accounts {
			if err := tx.PutTask(j.t.Context(), outlay.Task{OrgID: sweepOrg, Kind: detect.TaskLook, Subject: a.ID, NextAt: outlay.SystemClock{}.Now(), Every: time.Hour}); err != nil {
				return err
			}
		}
		return err
	})
	j.drain()
}

func (j *journey) drain() {
	j.t.Helper()
	if _, err := j.worker.Drain(j.t.Context()); err != nil {
		j.t.Fatal(err)
	}
}

func (j *journey) status(name string) (s outlay.BillingStatus) {
	j.t.Helper()
	j.tx(func(tx outlay.Tx) error {
		accounts, err := tx.Accounts(j.t.Context())
		for _, a := range accounts {
			if a.Name == name {
				s = a.Status
			}
		}
		return err
	})
	return s
}

func (j *journey) is(name string, want outlay.Status, words string) {
	j.t.Helper()
	if s := j.status(name); s.Status != want || !strings.Contains(s.Reason, words) {
		j.t.Fatalf("%s is %s: %s (could not check: %q)\nwant %s: …%s…", name, s.Status, s.Reason, s.CouldNotCheckWhy, want, words)
	}
}

// follow adds a member account of the same payer.
func (j *journey) follow(name, id string) {
	j.t.Helper()
	key, secret := j.cloud.AddUser(id, "reader", "*")
	j.tx(func(tx outlay.Tx) error {
		return tx.PutAccount(j.t.Context(), outlay.CloudAccount{
			OrgID: sweepOrg, ID: outlay.NewID("acc"), Name: name, Provider: aws.Name, CreatedAt: outlay.SystemClock{}.Now(),
			Credential: outlay.Credential{Kind: "keys", Values: map[string]string{"access_key_id": key}, Sealed: map[string]outlay.Sealed{"secret_access_key": outlay.Sealed(secret)}},
			Status:     outlay.BillingStatus{Status: outlay.Checking},
		})
	})
}

// publish puts the charges of the first unit on show, as ingest does.
func (j *journey) publish(subAccounts ...string) {
	j.t.Helper()
	j.tx(func(tx outlay.Tx) error {
		units, err := tx.Units(j.t.Context(), j.source)
		if err != nil || len(units) == 0 {
			j.t.Fatalf("no unit to publish: %v", err)
		}
		u := units[0]
		h := outlay.Head{
			OrgID: sweepOrg, SourceID: j.source, Provider: aws.Name, Origin: outlay.OriginCreated, Period: u.Period, UnitID: u.ID, Version: u.Delivery.Version,
			Generation: "g1", DataThrough: u.Delivery.Version.Add(-24 * time.Hour), DeliveredAt: u.Delivery.Version, PublishedAt: outlay.SystemClock{}.Now(),
		}
		for _, id := range subAccounts {
			h.SubAccounts = append(h.SubAccounts, outlay.SubAccountSum{ID: id, Name: id, Rows: 1})
		}
		return tx.Publish(j.t.Context(), h)
	})
}

// changes are the calls since the last ClearRequests that change something.
func (j *journey) changes() []string {
	var out []string
	for _, r := range j.cloud.Requests() {
		if !slices.ContainsFunc([]string{"Get", "Head", "List", "Describe", "Simulate", "AssumeRole"}, func(p string) bool { return strings.HasPrefix(r.Operation, p) }) {
			out = append(out, r.Service+":"+r.Operation)
		}
	}
	return out
}

// The way of the seed page with the real provider: nothing, provision, first delivery, a second account of the payer
// that follows by itself, a tag that comes on as soon as it can, an export deleted by hand, repair, deprovision.
func TestJourney(t *testing.T) {
	j := newJourney(t, "Project", "User")
	const other = "905418302776"
	j.cloud.AddOrganization(simaws.Member{ID: awsAccount, Name: "prod"}, simaws.Member{ID: other, Name: "research"})
	j.follow("research", other)
	j.look()
	j.is("prod", outlay.Unprovisioned, "Provisioning has not finished")
	j.is("research", outlay.Unprovisioned, "No cost data. Provision billing here, or on any other AWS account.")

	j.queue(outlay.OpProvision)
	j.drain()
	j.checkUp()
	j.is("prod", outlay.Unprovisioned, "Billing is set up here; no cost data yet. First costs appear within 24 hours.")
	j.look()
	j.is("research", outlay.Unprovisioned, "Billing is set up on prod")

	j.deliver()
	j.cloud.ClearRequests()
	before := j.cloud.Snapshot()
	j.look()
	if made := j.changes(); len(made) > 0 {
		t.Errorf("a look made the calls %v", made)
	}
	if after := j.cloud.Snapshot(); len(after) != len(before) {
		t.Errorf("a look changed the cloud")
	}
	j.publish(awsAccount, other)
	j.look()
	j.is("prod", outlay.Provisioned, "Cost data is arriving.")
	j.is("research", outlay.Provisioned, "Cost data is arriving.")

	if s := tagsOf(j.status("prod")); s.State != outlay.AxisPending || !strings.HasPrefix(s.Reason, "0 of 2 tags are on") {
		t.Errorf("tags axis %+v", s)
	}
	j.cloud.SeeTags("Project")
	j.look()
	j.look()
	if on := j.cloud.ActiveTags(awsAccount); !slices.Equal(on, []string{"Project"}) {
		t.Errorf("active tags %v", on)
	}
	if s := tagsOf(j.status("prod")); !strings.HasPrefix(s.Reason, "1 of 2 tags are on") {
		t.Errorf("tags axis %+v", s)
	}

	j.forbidden()
	j.deletedByHand()
	if !j.finish(j.queue(outlay.OpDeprovision)) {
		j.report(t)
		return
	}
	j.checkDown()
	j.look()
	j.is("prod", outlay.Unprovisioned, "billing was deprovisioned. Loaded costs stay.")
	j.is("research", outlay.Unprovisioned, "billing was deprovisioned. Loaded costs stay.")
	j.report(t)
}

// forbidden takes every permission away: nothing flips.
func (j *journey) forbidden() {
	j.t.Helper()
	who := j.cloud.UserARN(awsAccount, "billing")
	j.cloud.Deny(who, "s3:*", "bcm-data-exports:*", "organizations:*", "ce:*")
	for range 3 {
		j.look()
	}
	j.is("prod", outlay.Provisioned, "Cost data is arriving.")
	if s := j.status("prod"); s.CouldNotCheckSince.IsZero() {
		j.t.Errorf("nobody is told that the looks fail: %+v", s)
	}
	j.cloud.Undeny(who)
	j.look()
	if s := j.status("prod"); !s.CouldNotCheckSince.IsZero() {
		j.t.Errorf("still: %s", s.CouldNotCheckWhy)
	}
}

// deletedByHand has somebody delete the export in the console: it counts at the second look, and a provision repairs it.
func (j *journey) deletedByHand() {
	j.t.Helper()
	for _, e := range j.cloud.Exports() {
		if !e.Foreign {
			j.cloud.RemoveExport(e.ARN)
		}
	}
	j.look()
	j.is("prod", outlay.Provisioned, "")
	j.look()
	j.is("prod", outlay.Unprovisioned, "is gone. Repair makes it again; loaded costs stay.")
	j.is("research", outlay.Unprovisioned, "is gone on prod")
	j.queue(outlay.OpProvision)
	j.drain()
	j.checkUp()
	j.look()
	j.is("prod", outlay.Provisioned, "Cost data is arriving.")
	j.is("research", outlay.Provisioned, "Cost data is arriving.")
}

func tagsOf(s outlay.BillingStatus) outlay.Axis {
	for _, a := range s.Axes {
		if a.Name == detect.AxisTags {
			return a
		}
	}
	return outlay.Axis{}
}
