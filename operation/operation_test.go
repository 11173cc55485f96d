package operation

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"outlay"
)

func TestOutcomeOfAnAttempt(t *testing.T) {
	problem := outlay.Problem{Code: outlay.CodeConflict, Message: "the first file is not there", Fix: "Wait."}
	missing := &outlay.Error{Code: outlay.CodeForbidden, Message: "refused: nimbus:Make", Needs: []outlay.Permission{{Action: "nimbus:Make"}}}
	for _, c := range []struct {
		name   string
		err    error
		status outlay.OperationStatus
		from   time.Duration // NextAt is in [from, to]
		to     time.Duration
		text   string
	}{
		{"done", nil, outlay.OpDone, 0, 0, ""},
		{"throttled comes back soon", outlay.Errorf(outlay.CodeThrottled, "", "slow down"), outlay.OpRunning, 750 * time.Millisecond, time.Second, "slow down"},
		{"throttled comes back when the other side said", &outlay.Error{Code: outlay.CodeThrottled, Message: "wait", RetryAfter: 90 * time.Second}, outlay.OpRunning, 90 * time.Second, 90 * time.Second, "wait"},
		{"nobody is believed for longer than an hour", &outlay.Error{Code: outlay.CodeThrottled, Message: "wait", RetryAfter: 100 * time.Hour}, outlay.OpRunning, time.Hour, time.Hour, "wait"},
		{"no answer comes back soon", outlay.Errorf(outlay.CodeUnavailable, "", "no answer"), outlay.OpRunning, 750 * time.Millisecond, time.Second, "no answer"},
		{"unknown outcome comes back soon", &outlay.Error{Code: outlay.CodeInternal, Message: "reset", Outcome: outlay.Unknown}, outlay.OpRunning, 750 * time.Millisecond, time.Second, "reset"},
		{"a fault of ours comes back soon", errors.New("disk full"), outlay.OpRunning, 750 * time.Millisecond, time.Second, "something went wrong inside Outlay"},
		{"a refusal waits for a person", missing, outlay.OpWaiting, time.Hour, time.Hour, "refused: nimbus:Make"},
		{"a wait waits", &Wait{Problem: problem}, outlay.OpWaiting, time.Hour, time.Hour, problem.Message},
		{"an end ends", &End{Problem: problem}, outlay.OpFailed, 0, 0, problem.Message},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := setup(t)
			b.HandleOperation(outlay.OpProvision, func(context.Context, *Run) error { return c.err })
			b.queue("run_a")
			if n := b.drain(); n != 1 {
				t.Fatalf("drained %d, want 1", n)
			}
			o := b.operation("run_a")
			if o.Status != c.status {
				t.Errorf("status %q, want %q", o.Status, c.status)
			}
			if o.Status.Active() {
				if in := o.NextAt.Sub(b.clock.Now()); in < c.from || in > c.to {
					t.Errorf("comes back in %s, want %s to %s", in, c.from, c.to)
				}
			}
			if (o.Problem == nil) != (c.text == "") || o.Problem != nil && o.Problem.Message != c.text {
				t.Errorf("problem %+v, want %q", o.Problem, c.text)
			}
			if errors.Is(c.err, missing) && len(o.Problem.Needs) != 1 {
				t.Errorf("the missing permission is lost: %+v", o.Problem)
			}
			if o.Status.Active() == !o.EndedAt.IsZero() {
				t.Errorf("ended at %s with status %s", o.EndedAt, o.Status)
			}
			if n := b.drain(); n != 0 {
				t.Errorf("drained %d more at once", n)
			}
			b.clock.Add(c.to + time.Millisecond)
			if n := b.drain(); (n == 1) != c.status.Active() {
				t.Errorf("drained %d after the pause, want it to depend on %s", n, c.status)
			}
		})
	}
}

func TestPausesGrowUntilSomethingIsDone(t *testing.T) {
	b := setup(t)
	progress := false
	b.HandleOperation(outlay.OpProvision, func(ctx context.Context, r *Run) error {
		if progress {
			if err := r.Layout(ctx, []Line{{Title: "Make it", Point: "make"}}); err != nil {
				return err
			}
			if err := r.Mutate(ctx, 0, Mutation{Intent: nothing, Do: func(context.Context) error { return nil }, Record: recorded}); err != nil {
				return err
			}
		}
		return outlay.Errorf(outlay.CodeThrottled, "", "slow down")
	})
	b.queue("run_a")
	last := time.Duration(0)
	for range 6 {
		b.drain()
		in := b.operation("run_a").NextAt.Sub(b.clock.Now())
		if in <= last {
			t.Errorf("pause %s after %s", in, last)
		}
		last = in
		b.clock.Add(in)
	}
	progress = true
	b.drain()
	if in := b.operation("run_a").NextAt.Sub(b.clock.Now()); in > time.Second {
		t.Errorf("pause %s after progress, want at most the first", in)
	}
}

func TestFaultOfOursWaitsForAPersonInTheEnd(t *testing.T) {
	b := setup(t)
	b.HandleOperation(outlay.OpProvision, func(context.Context, *Run) error { panic("a fault of ours") })
	b.queue("run_a")
	for n := 1; ; n++ {
		if b.drain(); b.operation("run_a").Status == outlay.OpWaiting {
			break
		}
		if n > 10 {
			t.Fatal("still tried again and again")
		}
		b.clock.Add(time.Hour)
	}
}

func nothing(outlay.Tx) error { return nil }

func recorded(_ outlay.Tx, err error) (string, error) { return "made", err }

// threeSteps reads, changes something whose first answer is lost, and leaves a third for later.
func threeSteps(ctx context.Context, r *Run, reads, calls *int) error {
	lines := []Line{
		{Title: "Look", Point: "look"}, {Title: "Make it", Point: "make", Resource: "nimbus/bucket b"},
		{Title: "Later", Resource: "nimbus/tag t", Hold: "no such key yet"},
	}
	if err := r.Layout(ctx, lines); err != nil {
		return err
	}
	if !r.Done(0) {
		if err := r.Read(ctx, 0, func(ctx context.Context) (string, error) {
			*reads++
			outlay.CountCall(ctx)
			return "nothing there", nil
		}); err != nil {
			return err
		}
	}
	return r.Mutate(ctx, 1, Mutation{
		Action: "cloud:create nimbus/bucket", Object: "b", Intent: nothing, Record: recorded,
		Do: func(ctx context.Context) error {
			outlay.CountCall(ctx)
			if *calls++; *calls == 1 {
				return &outlay.Error{Code: outlay.CodeUnavailable, Message: "no answer", Outcome: outlay.Unknown}
			}
			return nil
		},
	})
}

func TestStepsAreALedger(t *testing.T) {
	var points []string
	b := setup(t, func(o *Options) { o.Points = func(p string) { points = append(points, p) } })
	reads, calls := 0, 0
	b.HandleOperation(outlay.OpProvision, func(ctx context.Context, r *Run) error { return threeSteps(ctx, r, &reads, &calls) })
	b.queue("run_a")
	b.drain()
	if s := b.steps("run_a"); s[1].State != outlay.StepWaiting || s[1].Detail != "no answer" || s[2].State != outlay.StepWaiting || s[2].Detail != "no such key yet" {
		t.Errorf("steps after the failure: %+v", s)
	}
	b.clock.Add(time.Minute)
	b.drain()
	got := b.steps("run_a")
	for i := range got {
		got[i].StartedAt, got[i].EndedAt = time.Time{}, time.Time{}
	}
	want := []outlay.Step{
		{OrgID: org, OperationID: "run_a", Seq: 1, Title: "Look", State: outlay.StepDone, Detail: "nothing there", Calls: 1},
		{OrgID: org, OperationID: "run_a", Seq: 2, Title: "Make it", ResourceKey: "nimbus/bucket b", State: outlay.StepDone, Detail: "made", Calls: 2},
		{OrgID: org, OperationID: "run_a", Seq: 3, Title: "Later", ResourceKey: "nimbus/tag t", State: outlay.StepWaiting, Detail: "no such key yet"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("steps (-want +got):\n%s", d)
	}
	if reads != 1 || calls != 2 {
		t.Errorf("%d reads and %d calls, want 1 and 2", reads, calls)
	}
	one := "make.before_intent make.after_intent make.sent make.before_record"
	if want := "look.before look.after " + one + " " + one + " make.after_record"; strings.Join(points, " ") != want {
		t.Errorf("points\n%s\nwant\n%s", strings.Join(points, " "), want)
	}
	var audit []string
	b.tx(func(tx outlay.Tx) error {
		entries, err := tx.Entries(t.Context(), 10)
		for _, e := range slices.Backward(entries) {
			audit = append(audit, e.Actor+" "+e.Action+" "+e.Object+" "+e.Result)
		}
		return err
	})
	line := "usr_maya cloud:create nimbus/bucket b "
	if d := cmp.Diff([]string{line + "intent", line + "unavailable", line + "intent", line + "ok"}, audit); d != "" {
		t.Errorf("audit (-want +got):\n%s", d)
	}
}

func TestIntentThatFailsMakesNoCall(t *testing.T) {
	b := setup(t)
	b.HandleOperation(outlay.OpProvision, func(ctx context.Context, r *Run) error {
		if err := r.Layout(ctx, []Line{{Title: "Remove it", Point: "remove"}}); err != nil {
			return err
		}
		return r.Mutate(ctx, 0, Mutation{
			Intent: func(outlay.Tx) error { return outlay.Errorf(outlay.CodeConflict, "", "not ours") },
			Do:     func(context.Context) error { t.Error("called"); return nil },
			Record: recorded,
		})
	})
	b.queue("run_a")
	b.drain()
	if o, s := b.operation("run_a"), b.steps("run_a"); o.Status != outlay.OpWaiting || s[0].State != outlay.StepFailed || s[0].Detail != "not ours" {
		t.Errorf("operation %s, step %+v", o.Status, s[0])
	}
}

func TestRunThatAPersonEndedGoesNoFurther(t *testing.T) {
	b := setup(t)
	b.HandleOperation(outlay.OpProvision, func(ctx context.Context, r *Run) error {
		if err := r.Layout(ctx, []Line{{Title: "Make it", Point: "make"}}); err != nil {
			return err
		}
		b.tx(func(tx outlay.Tx) error {
			o, err := tx.Operation(t.Context(), "run_a")
			if err != nil {
				return err
			}
			o.Status, o.Problem = outlay.OpFailed, &outlay.Problem{Message: "ended by Maya"}
			return tx.PutOperation(t.Context(), o)
		})
		return r.Mutate(ctx, 0, Mutation{Intent: nothing, Do: func(context.Context) error { t.Error("called"); return nil }, Record: recorded})
	})
	b.queue("run_a")
	b.drain()
	if o := b.operation("run_a"); o.Status != outlay.OpFailed || o.Problem.Message != "ended by Maya" {
		t.Errorf("operation %+v", o)
	}
}
