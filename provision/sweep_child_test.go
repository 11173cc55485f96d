package provision_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"outlay"
	"outlay/operation"
	"outlay/outlaytest"
	"outlay/provision"
	"outlay/sqldb"
)

// childEnv carries the orders of a child process of the sweep.
const childEnv = "OUTLAY_SWEEP_CHILD"

// orders are what a child process does: work on what is due until one operation has ended, and die on the way if told.
type orders struct {
	Cloud, Connect               string // which case, and how to reach it
	Database, OrgID, OperationID string
	KillAt                       string // SIGKILL itself at this point
	StopAt                       string // SIGSTOP itself at this point
	Points                       string // file that gets a line per point reached
	// Defect plants a fault: "no intent" loses every intent row before it is written.
	Defect string
}

// How a child ends.
const (
	childDone   = 0
	childFailed = 4 // the operation ended as failed
	childStuck  = 5 // the operation did not end in time
	childBroken = 6
)

func TestMain(m *testing.M) {
	text, child := os.LookupEnv(childEnv)
	if !child {
		flag.Parse()
		if err := flag.Set("test.parallel", "20"); err != nil { // cases of the sweep mostly wait
			fmt.Fprintln(os.Stderr, err)
		}
		outlaytest.RunWithPostgres(m)
		return
	}
	var o orders
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(childBroken)
	}
	code, err := o.obey()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// patience is how long a child tries; a run that takes longer counts as stuck.
const patience = 3 * time.Minute

func (o orders) obey() (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	store, err := sqldb.Open(ctx, o.Database, slog.New(slog.DiscardHandler))
	if err != nil {
		return childBroken, err
	}
	points, err := os.OpenFile(o.Points, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return childBroken, err
	}
	passed := map[string]int{}
	w := o.worker(store, func(p string) {
		_, _ = fmt.Fprintln(points, p)
		if passed[p]++; passed[p] > 1 {
			p += "@" + strconv.Itoa(passed[p])
		}
		switch p {
		case o.KillAt:
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // the signal is on its way
		case o.StopAt:
			o.StopAt = "" // once
			_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
			<-time.After(200 * time.Millisecond) // the signal takes a moment; nothing may be begun in it
		}
	})
	ended := make(chan error, 1)
	work, stop := context.WithCancel(ctx)
	go func() { ended <- w.Run(work) }()
	code := o.wait(ctx, store)
	stop()
	return code, <-ended
}

// wait waits until the operation has ended.
func (o orders) wait(ctx context.Context, store outlay.Store) int {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return childStuck
		case <-tick.C:
		}
		var status outlay.OperationStatus
		err := store.ReadOrg(ctx, o.OrgID, func(tx outlay.Tx) error {
			op, err := tx.Operation(ctx, o.OperationID)
			status = op.Status
			return err
		})
		if err == nil && !status.Active() {
			if status == outlay.OpDone {
				return childDone
			}
			return childFailed
		}
	}
}

// worker is the product's own worker and engine, on short windows.
func (o orders) worker(store outlay.Store, points func(string)) *operation.Worker {
	if o.Defect == "no intent" {
		store = forgetful{store}
	}
	lease, renew := 1500*time.Millisecond, 150*time.Millisecond
	if o.StopAt != "" { // a process must not be stopped within a transaction: it would hold the whole database
		lease, renew = 8*time.Second, time.Minute
	}
	w := operation.New(operation.Options{
		Store: store, Clock: outlay.SystemClock{}, Owner: fmt.Sprintf("child %d", os.Getpid()), Points: points,
		Lease: lease, Renew: renew, Poll: 40 * time.Millisecond,
		Backoff: 5 * time.Millisecond, Recheck: 300 * time.Millisecond,
	})
	provider := sweepCases()[o.Cloud].provider(o.Connect)
	provision.New(provision.Options{
		Store: store, Clock: outlay.SystemClock{},
		Providers: map[outlay.ProviderName]outlay.Provider{provider.Name(): provider},
		Settle: func(_ outlay.ResourceKind, planned time.Duration) time.Duration {
			return min(planned, 200*time.Millisecond)
		},
		VerifyFor: 5 * time.Second, VerifyEvery: 20 * time.Millisecond,
	}).Register(w)
	return w
}

// openSecrets opens secrets that were stored open: the sweep is not about sealing.
type openSecrets struct{}

func (openSecrets) Open(a *outlay.CloudAccount, field string) (outlay.Secret, error) {
	return outlay.NewSecret(string(a.Credential.Sealed[field])), nil
}

// forgetful is a store that loses intents: the planted defect.
type forgetful struct{ outlay.Store }

func (f forgetful) ForOrg(ctx context.Context, orgID string, fn func(outlay.Tx) error) error {
	return f.Store.ForOrg(ctx, orgID, func(tx outlay.Tx) error { return fn(forgetfulTx{tx}) })
}

type forgetfulTx struct{ outlay.Tx }

func (f forgetfulTx) PutResource(ctx context.Context, r outlay.Resource) error {
	if r.State == outlay.StateIntended {
		return nil
	}
	return f.Tx.PutResource(ctx, r)
}
