package provision_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"outlay"
	"outlay/aws"
	"outlay/provision"
	simaws "outlay/simcloud/aws"
	"outlay/sqldb"
)

const (
	sweepOrg  = "org_sweep"
	accountID = "482109375516"
)

// world is one case of the sweep: a cloud of its own with foreign things in it, a store of its own, one source.
type world struct {
	t        *testing.T
	dir      string
	database string
	cloud    *simaws.Cloud
	endpoint string
	store    outlay.Store
	provider *aws.Provider
	source   string
	account  string
	foreign  []simaws.Live
	runs     int
	faults   int64 // seed of the faults, 0 for none
	findings []string
	defect   string
}

// newWorld makes a world. Odd seeds have a cloud in which new things are not listed at once and new policies are not
// seen at once.
func newWorld(t *testing.T, seed int64, tags ...string) *world {
	t.Helper()
	dir := t.TempDir()
	return newWorldOn(t, dir, "sqlite:"+filepath.Join(dir, "outlay.db"), seed, tags...)
}

func newWorldOn(t *testing.T, dir, database string, seed int64, tags ...string) *world {
	t.Helper()
	w := &world{t: t, dir: dir, database: database, faults: seed}
	cloud, err := simaws.New(simaws.Options{
		Dir: filepath.Join(w.dir, "cloud"), ExportQuota: 50, RowsPerMonth: 30, Seed: seed,
		ListLag: int(2 * (seed % 2)), PolicyLag: int(seed % 2), LateDelivery: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	url, stop, err := cloud.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	w.cloud, w.endpoint = cloud, url
	cloud.AddAccount(accountID, "prod")
	key, secret := cloud.AddUser(accountID, "billing", "*")
	cloud.PlantBucket(accountID, "us-east-1", "theirs-482109375516")
	cloud.PlantExport(accountID, "outlay-focus-theirs", "theirs-482109375516")
	w.foreign = w.planted()
	w.provider = realProvider(url)
	w.store, err = sqldb.Open(t.Context(), database, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.store.Close() })
	w.settle(key, secret, tags)
	return w
}

// settle stores the organization, the account and the source.
func (w *world) settle(key, secret string, tags []string) {
	w.t.Helper()
	now := outlay.SystemClock{}.Now()
	if err := w.store.Install().AddOrganization(w.t.Context(), outlay.Organization{ID: sweepOrg, Name: "Northwind", CreatedAt: now}); err != nil {
		w.t.Fatal(err)
	}
	a := outlay.CloudAccount{OrgID: sweepOrg, ID: outlay.NewID("acc"), Name: "prod", Provider: aws.Name, CreatedAt: now}
	a.Credential = outlay.Credential{
		Kind: "keys", Values: map[string]string{"access_key_id": key}, Sealed: map[string]outlay.Sealed{"secret_access_key": outlay.Sealed(secret)}, Version: 1,
	}
	seen, err := w.provider.Observe(w.t.Context(), &a, &outlay.Source{OrgID: sweepOrg}, outlay.Look{Kinds: []outlay.ResourceKind{}})
	if err != nil {
		w.t.Fatal(err)
	}
	a.Identity = seen.Identity
	w.account, w.source = a.ID, outlay.NewID("src")
	w.tx(func(tx outlay.Tx) error {
		if err := tx.PutAccount(w.t.Context(), a); err != nil {
			return err
		}
		return tx.PutSource(w.t.Context(), outlay.Source{
			OrgID: sweepOrg, ID: w.source, Name: "prod", Provider: aws.Name, AccountID: a.ID, Scope: a.Identity.Scope, Origin: outlay.OriginCreated,
			Spec: &outlay.Spec{Region: "eu-central-1", Tags: tags}, Desired: outlay.Present, CreatedAt: now,
		})
	})
}

func (w *world) tx(fn func(outlay.Tx) error) {
	w.t.Helper()
	if err := w.store.ForOrg(w.t.Context(), sweepOrg, fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) find(format string, args ...any) {
	w.findings = append(w.findings, fmt.Sprintf(format, args...))
}

// queue plans and queues a run, as a person would who confirms what is shown. Planning is not part of the sweep: it
// meets no faults.
func (w *world) queue(kind outlay.OperationKind) outlay.Operation {
	w.t.Helper()
	w.cloud.ClearFaults()
	var s outlay.Source
	var a outlay.CloudAccount
	w.tx(func(tx outlay.Tx) (err error) {
		if s, err = tx.Source(w.t.Context(), w.source); err == nil {
			a, err = tx.Account(w.t.Context(), w.account)
		}
		return err
	})
	if kind == outlay.OpDeprovision {
		s.Spec, s.CostFiles = nil, outlay.DeleteCostFiles
	}
	seen, err := w.provider.Observe(w.t.Context(), &a, &s, outlay.Look{Contents: true, Tags: s.Spec != nil && len(s.Spec.Tags) > 0})
	if err != nil {
		w.t.Fatal(err)
	}
	plan, err := w.provider.Plan(&s, seen)
	if err != nil {
		w.t.Fatal(err)
	}
	if why := plan.Blocked(); why != "" {
		w.t.Fatalf("the plan is blocked: %s", why)
	}
	w.runs++
	op := outlay.Operation{
		OrgID: sweepOrg, ID: fmt.Sprintf("run_%d", w.runs), Kind: kind, SourceID: w.source, AccountID: w.account, Provider: aws.Name, ScopeID: s.Scope.ID,
		Status: outlay.OpQueued, Plan: plan, PlanHash: plan.Hash(), CostFiles: s.CostFiles, CreatedBy: "usr_sweep", CreatedAt: outlay.SystemClock{}.Now(),
	}
	w.tx(func(tx outlay.Tx) error { _, err := tx.AddOperation(w.t.Context(), op); return err })
	return op
}

// command is a child process on an operation.
func (w *world) command(ctx context.Context, op outlay.Operation, o orders) *exec.Cmd {
	o.Database, o.Endpoint, o.OrgID, o.OperationID = w.database, w.endpoint, sweepOrg, op.ID
	o.Points, o.Defect = filepath.Join(w.dir, "points"), w.defect
	text, err := json.Marshal(o)
	if err != nil {
		w.t.Fatal(err)
	}
	c := exec.CommandContext(ctx, os.Args[0])
	c.Env = append(os.Environ(), childEnv+"="+string(text))
	c.Stderr = os.Stderr
	return c
}

// child runs a child process to its end, with the faults of this world on, and tells how it ended; killed is set when
// it died at its point.
func (w *world) child(op outlay.Operation, o orders) (code int, killed bool) {
	w.t.Helper()
	if w.faults != 0 {
		var kinds []simaws.FaultKind
		if *sweepAll {
			// A flipped byte in an answer is what TLS is there to prevent: it would put a wrong id into the ledger, and
			// what has another id than ours is not deleted.
			kinds = slices.DeleteFunc(simaws.FaultKinds(), func(k simaws.FaultKind) bool { return k == simaws.BadChecksum })
		}
		w.cloud.RandomFaults(*sweepRate, w.faults, kinds...)
		w.faults += 1000
	}
	err := w.command(w.t.Context(), op, o).Run()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if err != nil && !ok {
		w.t.Fatal(err)
	}
	if !ok {
		return childDone, false
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGKILL {
		return 0, true
	}
	return exit.ExitCode(), false
}

// finish resumes an operation in a fresh process until it is done.
func (w *world) finish(op outlay.Operation) bool {
	w.t.Helper()
	code, _ := w.child(op, orders{})
	if code == childDone {
		return true
	}
	w.tx(func(tx outlay.Tx) error {
		o, err := tx.Operation(w.t.Context(), op.ID)
		steps, _ := tx.Steps(w.t.Context(), op.ID)
		w.find("stuck: run of %s ended with code %d, %s, %+v, steps %+v", op.Kind, code, o.Status, o.Problem, steps)
		return err
	})
	return false
}

// ours are the live things that carry the marks of the world's source.
func (w *world) ours(kind string) []simaws.Live {
	return slices.DeleteFunc(w.cloud.Snapshot(), func(l simaws.Live) bool {
		return l.Kind != kind || l.Tags["outlay:source-id"] != w.source
	})
}

func (w *world) planted() []simaws.Live {
	return slices.DeleteFunc(w.cloud.Snapshot(), func(l simaws.Live) bool { return !l.Foreign })
}

// checkUp tells what is wrong after a provision: everything once, and the ledger knows it.
func (w *world) checkUp() {
	w.t.Helper()
	for _, kind := range []string{"bucket", "export"} {
		if n := len(w.ours(kind)); n != 1 {
			w.find("doubled: %d of ours of kind %s after a provision", n, kind)
		}
	}
	for _, e := range w.ours("export") {
		if !e.Healthy {
			w.find("stuck: the export is not healthy")
		}
	}
	w.tx(func(tx outlay.Tx) error {
		rows, err := tx.Resources(w.t.Context(), w.source)
		for _, r := range rows {
			if r.State != outlay.StateVerified && r.State != outlay.StateCreated && r.State != outlay.StateWaiting {
				w.find("stuck: the ledger says %s is %s", r.Key(), r.State)
			}
		}
		return err
	})
	w.checkAlways()
}

// checkDown tells what is wrong after a deprovision: nothing of ours is left, in the cloud or in the ledger.
func (w *world) checkDown() {
	w.t.Helper()
	for _, kind := range []string{"bucket", "export"} {
		for _, l := range w.ours(kind) {
			w.find("leaked: %s %s with %d objects", kind, l.Name, len(l.Objects))
		}
	}
	w.tx(func(tx outlay.Tx) error {
		s, err := tx.Source(w.t.Context(), w.source)
		if s.Desired != outlay.Absent {
			w.find("stuck: the source is still %s", s.Desired)
		}
		for _, r := range s.Resources {
			if r.Origin == outlay.CreatedByUs && r.State != outlay.StateDeleted {
				w.find("stuck: the ledger says %s is %s", r.Key(), r.State)
			}
		}
		return err
	})
	w.checkAlways()
}

// checkAlways tells whether something foreign was touched, and whether the audit log is whole: every outcome has an
// intent before it (I8), and the chain holds.
func (w *world) checkAlways() {
	w.t.Helper()
	if d := cmp.Diff(w.foreign, w.planted()); d != "" {
		w.find("foreign: touched (-before +after):\n%s", d)
	}
	w.tx(func(tx outlay.Tx) error {
		entries, err := tx.Entries(w.t.Context(), 10_000)
		open := map[string]bool{}
		for _, e := range slices.Backward(entries) {
			call := e.Action + " " + e.Object
			if !strings.HasPrefix(e.Action, "cloud:") {
				continue
			}
			if e.Result == "intent" {
				open[call] = true
			} else if !open[call] {
				w.find("audit: %s has the outcome %s without an intent", call, e.Result)
			}
		}
		if _, broken := tx.VerifyAudit(w.t.Context()); broken != nil {
			w.find("audit: %v", broken)
		}
		return err
	})
}

// points are the points of a kind of run, from its plan.
func (w *world) points(kind outlay.OperationKind) []string {
	op := w.queue(kind)
	return provision.Points(op)
}

// end ends an operation as a person would.
func (w *world) end(op outlay.Operation) {
	w.t.Helper()
	w.tx(func(tx outlay.Tx) error {
		o, err := tx.Operation(w.t.Context(), op.ID)
		if err != nil {
			return err
		}
		o.Status, o.EndedAt = outlay.OpFailed, outlay.SystemClock{}.Now()
		return tx.PutOperation(w.t.Context(), o)
	})
}

// await waits until ok holds, for a bounded time.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("waited too long for %s", what)
		case <-tick.C:
		}
	}
}
