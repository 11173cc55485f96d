package provision_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"outlay"
	"outlay/outlaytest"
)

// sweepSeeds is how many times each point is killed, each time with other faults. Odd seeds add a cloud that shows new
// things late. make test asks for 25 through the environment, because flags of one package cannot be given to all.
var sweepSeeds = flag.Int("sweep.seeds", seedsWanted(os.Getenv("OUTLAY_SWEEP_SEEDS")), "how many seeds of faults the crash sweep runs each point with")

func seedsWanted(text string) int {
	if n, err := strconv.Atoi(text); err == nil && n > 0 {
		return n
	}
	return 2
}

// sweepRate is the share of calls that go wrong, and sweepAll draws their faults from every kind that the simulated
// cloud knows, instead of the four of the measured sweep (reliability.md §3.3). With all kinds most faults end a whole
// look: at a rate above 0.1 runs need more time than the sweep gives them.
var (
	sweepRate = flag.Float64("sweep.rate", 0.25, "the share of calls that go wrong in the crash sweep")
	sweepAll  = flag.Bool("sweep.all", false, "draw the faults from all kinds: refusals, garbled and cut answers, hanging calls")
)

// figures are what the sweep counted.
type figures struct {
	mu                              sync.Mutex
	runs, kills                     int
	leaked, doubled, foreign, stuck int
	reached                         map[string]int
}

func (f *figures) add(w *world, point string, killed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.runs++
	if killed {
		f.kills++
		f.reached[point]++
	}
	count := func(word string) int {
		if slices.ContainsFunc(w.findings, func(s string) bool { return strings.HasPrefix(s, word+":") }) {
			return 1
		}
		return 0
	}
	f.leaked += count("leaked")
	f.doubled += count("doubled")
	f.foreign += count("foreign")
	f.stuck += count("stuck")
}

// TestCrashSweep kills the process at every point of a provision and of a deprovision, with a quarter of all calls
// going wrong, resumes in a fresh process, and then takes everything down again. Nothing may be left, be there twice,
// hang, or have touched what is not ours (reliability.md §3.2, §3.3).
func TestCrashSweep(t *testing.T) {
	for name, c := range sweepCases() {
		t.Run(name, func(t *testing.T) { sweep(t, c) })
	}
}

// sweep is the crash sweep over one cloud.
func sweep(t *testing.T, of sweepCase) {
	probe := newWorld(t, of, 0)
	up := probe.points(outlay.OpProvision)
	if code, _ := probe.child(outlay.Operation{ID: "run_1"}, orders{}); code != childDone {
		t.Fatalf("a run without faults ended with %d", code)
	}
	down := probe.points(outlay.OpDeprovision)
	if len(up) != of.up || len(down) != of.down {
		t.Errorf("%d and %d points, want %d and %d:\n%s\n%s", len(up), len(down), of.up, of.down, strings.Join(up, "\n"), strings.Join(down, "\n"))
	}
	up, down = numbered(up), numbered(down)
	f := &figures{reached: map[string]int{}}
	begun := outlay.SystemClock{}.Now()
	t.Run("points", func(t *testing.T) {
		for seed := 1; seed <= *sweepSeeds; seed++ {
			for _, point := range up {
				t.Run("up "+point, func(t *testing.T) { t.Parallel(); sweepUp(t, f, newWorld(t, of, int64(seed)), point) })
			}
			for _, point := range down {
				t.Run("down "+point, func(t *testing.T) { t.Parallel(); sweepDown(t, f, newWorld(t, of, int64(seed)), point) })
			}
		}
	})
	for flow, points := range map[string][]string{"up ": up, "down ": down} {
		for _, point := range points {
			if n := f.reached[flow+point]; n != *sweepSeeds {
				t.Errorf("the point %q was reached %d times, want %d", flow+point, n, *sweepSeeds)
			}
		}
	}
	t.Logf("crash sweep of %s: %d points, %d runs, %d kills, leaked %d, doubled %d, foreign touched %d, stuck %d, in %s",
		of.name, len(up)+len(down), f.runs, f.kills, f.leaked, f.doubled, f.foreign, f.stuck, outlay.SystemClock{}.Now().Sub(begun).Round(time.Second))
}

// numbered tells points of one name apart: the second is "name@2".
func numbered(points []string) []string {
	seen, out := map[string]int{}, make([]string, len(points))
	for i, p := range points {
		seen[p]++
		if out[i] = p; seen[p] > 1 {
			out[i] = p + "@" + strconv.Itoa(seen[p])
		}
	}
	return out
}

// sweepUp kills a provision at a point, resumes it, and takes it down.
func sweepUp(t *testing.T, f *figures, w *world, point string) {
	op := w.queue(outlay.OpProvision)
	_, killed := w.child(op, orders{KillAt: point})
	if !killed {
		t.Errorf("the point was not reached")
	}
	if w.finish(op) {
		w.checkUp()
		w.deliver()
		w.takeDown()
	}
	f.add(w, "up "+point, killed)
	w.report(t)
}

// sweepDown provisions, kills the deprovision at a point while a last delivery arrives, and resumes it.
func sweepDown(t *testing.T, f *figures, w *world, point string) {
	if !w.here(w.queue(outlay.OpProvision)) {
		w.report(t)
		return
	}
	w.deliver()
	op := w.queue(outlay.OpDeprovision)
	_, killed := w.child(op, orders{KillAt: point})
	if !killed {
		t.Errorf("the point was not reached")
	}
	w.deliver() // one that was in flight
	if w.finish(op) {
		w.checkDown()
	}
	f.add(w, "down "+point, killed)
	w.report(t)
}

// TestSweepUndo kills a provision around its creates and deprovisions without resuming it.
func TestSweepUndo(t *testing.T) {
	for _, point := range []string{
		"create aws/bucket.after_intent", "create aws/bucket.sent", "create aws/bucket.after_record",
		"create aws/export.after_intent", "create aws/export.sent", "create aws/export.after_record",
	} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, awsCase(), 1)
			op := w.queue(outlay.OpProvision)
			if _, killed := w.child(op, orders{KillAt: point}); !killed {
				t.Errorf("the point was not reached")
			}
			w.end(op)
			w.takeDown()
			w.report(t)
		})
	}
}

// TestSweepZombie stops a process for longer than its lease right before and right after a call, lets another finish
// the run, and wakes it: there is still one of everything.
func TestSweepZombie(t *testing.T) {
	for _, point := range []string{"create aws/bucket.after_intent", "create aws/export.after_intent", "create aws/export.sent"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			w := newWorldOn(t, awsCase(), outlaytest.Postgres(t), 0)
			op := w.queue(outlay.OpProvision)
			zombie := w.command(t.Context(), op, orders{StopAt: point})
			if err := zombie.Start(); err != nil {
				t.Fatal(err)
			}
			await(t, "the process to stop", func() bool { return stopped(zombie.Process.Pid) })
			if !w.finish(op) {
				w.report(t)
			}
			if err := zombie.Process.Signal(syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
			if err := zombie.Wait(); err != nil {
				t.Errorf("the zombie ended with %v", err)
			}
			w.checkUp()
			w.takeDown()
			w.report(t)
		})
	}
}

// stopped tells whether a process is stopped.
func stopped(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(after, "T")
}

// TestSweepTwoWorkers lets two processes race for one run, faults on.
func TestSweepTwoWorkers(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); race(t, newWorld(t, awsCase(), 2)) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); race(t, newWorldOn(t, awsCase(), outlaytest.Postgres(t), 2)) })
}

func race(t *testing.T, w *world) {
	t.Helper()
	op := w.queue(outlay.OpProvision)
	w.cloud.faults(0.25, 7, false)
	one, two := w.command(t.Context(), op, orders{}), w.command(t.Context(), op, orders{})
	for _, c := range []interface{ Start() error }{one, two} {
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []interface{ Wait() error }{one, two} {
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
	}
	w.checkUp()
	w.takeDown()
	w.report(t)
}

// TestSweepWithTags runs once with tags, of which one is on hold, kills at the tag's own points, and sees the rest stay.
func TestSweepWithTags(t *testing.T) {
	for _, at := range []string{"after_intent", "sent"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, awsCase(), 2, "Project", "User", "Pool")
			cloud := w.cloud.(awsCloud).Cloud
			cloud.SeeTags("Project", "User")
			op := w.queue(outlay.OpProvision)
			if _, killed := w.child(op, orders{KillAt: "update aws/cost-allocation-tag." + at}); !killed {
				t.Errorf("the point was not reached")
			}
			if w.finish(op) {
				w.checkUp()
				if on := cloud.ActiveTags(awsAccount); !slices.Equal(on, []string{"Project", "User"}) {
					t.Errorf("active tags %v", on)
				}
				w.takeDown()
			}
			w.report(t)
		})
	}
}

// TestSweepBites plants the defect that the sweep is for: intents are not written down. It must be found.
func TestSweepBites(t *testing.T) {
	w := newWorld(t, awsCase(), 2)
	w.defect = "no intent"
	op := w.queue(outlay.OpProvision)
	if _, killed := w.child(op, orders{KillAt: "create aws/export.sent"}); !killed {
		t.Errorf("the point was not reached")
	}
	w.end(op)
	w.defect = ""
	w.takeDown()
	if len(w.findings) == 0 {
		t.Error("the planted defect was not found")
	}
}

// deliver makes the cloud deliver once to every export, with its late files.
func (w *world) deliver() {
	w.t.Helper()
	if err := w.cloud.deliver(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// takeDown deprovisions, again where a plan could not know everything yet, and checks that nothing is left.
func (w *world) takeDown() {
	w.t.Helper()
	for range 3 {
		before := len(w.findings)
		if w.here(w.queue(outlay.OpDeprovision)) {
			break
		}
		if !strings.Contains(w.findings[len(w.findings)-1], "appeared after the plan") {
			return
		}
		w.findings = w.findings[:before]
	}
	w.checkDown()
}

func (w *world) report(t *testing.T) {
	t.Helper()
	for _, f := range w.findings {
		t.Error(f)
	}
}
