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
	"outlay/operation"
	"outlay/provision"
	"outlay/sqldb"
)

const sweepOrg = "org_sweep"

// sweepCase is one cloud of the sweep.
type sweepCase struct {
	name string
	// up and down are how many points a provision and a deprovision have, so that none gets lost.
	up, down int
	// start makes a simulated cloud in a folder, with foreign things in it. Odd seeds have one in which new things are
	// seen late.
	start func(t *testing.T, dir string, seed int64) sweepCloud
	// provider is the product's own, with its real clients; connect is what sweepCloud.connect said.
	provider func(connect string) outlay.Provider
}

// sweepCases are the clouds by name; a child process finds its own in it.
func sweepCases() map[string]sweepCase {
	out := map[string]sweepCase{}
	for _, c := range []sweepCase{awsCase(), azureCase(), googleCase()} {
		out[c.name] = c
	}
	return out
}

// sweepCloud is a simulated cloud as the sweep needs it.
type sweepCloud interface {
	connect() string
	// account has a credential that may do everything; spec is what a person asks for.
	account() outlay.CloudAccount
	spec() outlay.Spec
	// faults lets a share of the calls go wrong, in the ways of the measured sweep or in all; 0 lets all go well.
	faults(rate float64, seed int64, all bool)
	// deliver puts files where the cloud would, to everything that stands.
	deliver(ctx context.Context) error
	// person does what the run waits for, if anything; called again and again.
	person()
	live() []live
	// once names the kinds of which a set-up has one, and how many if more.
	once() map[string]int
}

// everySource marks a thing that can only be of the world's one source.
const everySource = "*"

// live is one thing that exists in the cloud.
type live struct {
	Kind, Name string
	Source     string // the mark of the source that it carries
	Foreign    bool   // was there before us
	Sick       bool
	Detail     any // everything else, to see whether it was touched
}

// world is one case of the sweep: a cloud of its own with foreign things in it, a store of its own, one source.
type world struct {
	t        *testing.T
	dir      string
	database string
	of       sweepCase
	cloud    sweepCloud
	store    outlay.Store
	provider outlay.Provider
	worker   *operation.Worker
	source   string
	account  string
	foreign  []live
	runs     int
	faults   int64 // seed of the faults, 0 for none
	findings []string
	defect   string
}

// newWorld makes a world of a case.
func newWorld(t *testing.T, of sweepCase, seed int64, tags ...string) *world {
	t.Helper()
	return newWorldOn(t, of, "sqlite:"+filepath.Join(scratch(t), "outlay.db"), seed, tags...)
}

// scratch is a folder in memory where the machine has one: a killed process loses nothing that it has written, whatever
// the disk, and thousands of worlds are made here.
func scratch(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "outlay-sweep-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func newWorldOn(t *testing.T, of sweepCase, database string, seed int64, tags ...string) *world {
	t.Helper()
	w := &world{t: t, dir: scratch(t), database: database, faults: seed, of: of}
	w.cloud = of.start(t, w.dir, seed)
	w.foreign = w.planted()
	w.provider = of.provider(w.cloud.connect())
	var err error
	w.store, err = sqldb.Open(t.Context(), database, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.store.Close() })
	w.settle(tags)
	return w
}

// settle stores the organization, the account and the source.
func (w *world) settle(tags []string) {
	w.t.Helper()
	now := outlay.SystemClock{}.Now()
	if err := w.store.Install().AddOrganization(w.t.Context(), outlay.Organization{ID: sweepOrg, Name: "Northwind", CreatedAt: now}); err != nil {
		w.t.Fatal(err)
	}
	a := w.cloud.account()
	a.OrgID, a.ID, a.Name, a.Provider, a.CreatedAt = sweepOrg, outlay.NewID("acc"), "prod", w.provider.Name(), now
	spec := w.cloud.spec()
	spec.Tags = tags
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
			OrgID: sweepOrg, ID: w.source, Name: "prod", Provider: a.Provider, AccountID: a.ID, Scope: a.Identity.Scope, Origin: outlay.OriginCreated,
			Spec: &spec, Desired: outlay.Present, CreatedAt: now,
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
	return w.queueWith(kind, outlay.DeleteCostFiles)
}

// queueWith is queue with the choice about the delivered files, where the run removes.
func (w *world) queueWith(kind outlay.OperationKind, files outlay.CostFiles) outlay.Operation {
	w.t.Helper()
	w.cloud.faults(0, 0, false)
	var s outlay.Source
	var a outlay.CloudAccount
	w.tx(func(tx outlay.Tx) (err error) {
		if s, err = tx.Source(w.t.Context(), w.source); err == nil {
			a, err = tx.Account(w.t.Context(), w.account)
		}
		return err
	})
	if kind.Removes() {
		s.Spec, s.CostFiles = nil, files
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
		OrgID: sweepOrg, ID: fmt.Sprintf("run_%d", w.runs), Kind: kind, SourceID: w.source, AccountID: w.account, Provider: w.provider.Name(), ScopeID: s.Scope.ID,
		Status: outlay.OpQueued, Plan: plan, PlanHash: plan.Hash(), CostFiles: s.CostFiles, CreatedBy: "usr_sweep", CreatedAt: outlay.SystemClock{}.Now(),
	}
	w.tx(func(tx outlay.Tx) error { _, err := tx.AddOperation(w.t.Context(), op); return err })
	return op
}

// command is a child process on an operation.
func (w *world) command(ctx context.Context, op outlay.Operation, o orders) *exec.Cmd {
	o.Database, o.Cloud, o.Connect, o.OrgID, o.OperationID = w.database, w.of.name, w.cloud.connect(), sweepOrg, op.ID
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
		w.cloud.faults(*sweepRate, w.faults, *sweepAll)
		w.faults += 1000
	}
	err := w.accompanied(w.command(w.t.Context(), op, o))
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

// accompanied runs a command while a person does what the cloud's runs wait for.
func (w *world) accompanied(c *exec.Cmd) error {
	if err := c.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-tick.C:
			w.cloud.person()
		}
	}
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

// here does an operation to its end in this process: where nothing is killed, a process of its own proves nothing more.
func (w *world) here(op outlay.Operation) bool {
	w.t.Helper()
	if w.worker == nil {
		w.worker = orders{Cloud: w.of.name, Connect: w.cloud.connect()}.worker(w.store, func(string) {})
	}
	if w.faults != 0 {
		w.cloud.faults(*sweepRate, w.faults, *sweepAll)
		w.faults += 1000
	}
	status := outlay.OpQueued
	var o outlay.Operation
	for deadline := time.Now().Add(patience); status.Active() && time.Now().Before(deadline); {
		w.cloud.person()
		if _, err := w.worker.Drain(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		w.tx(func(tx outlay.Tx) (err error) { o, err = tx.Operation(w.t.Context(), op.ID); return err })
		if status = o.Status; status.Active() {
			<-time.After(10 * time.Millisecond)
		}
	}
	if status != outlay.OpDone {
		w.find("stuck: run of %s ended %s, %+v", op.Kind, status, o.Problem)
	}
	return status == outlay.OpDone
}

// ours are the live things that carry the mark of the world's source.
func (w *world) ours() []live {
	return slices.DeleteFunc(w.cloud.live(), func(l live) bool { return l.Source != w.source && l.Source != everySource })
}

func (w *world) planted() []live {
	return slices.DeleteFunc(w.cloud.live(), func(l live) bool { return !l.Foreign })
}

// checkUp tells what is wrong after a provision: everything once, and the ledger knows it.
func (w *world) checkUp() {
	w.t.Helper()
	count := map[string]int{}
	for _, l := range w.ours() {
		count[l.Kind]++
		if l.Sick {
			w.find("stuck: %s %s is not healthy", l.Kind, l.Name)
		}
	}
	if d := cmp.Diff(w.cloud.once(), count); d != "" {
		w.find("doubled: after a provision there is, by kind (-want +found):\n%s", d)
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
	for _, l := range w.ours() {
		w.find("leaked: %s %s: %+v", l.Kind, l.Name, l.Detail)
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
