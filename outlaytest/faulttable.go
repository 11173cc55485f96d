package outlaytest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"outlay"
)

// FaultTable records every call that a provider makes in a clean life of one source – look, provision, read, deprovision
// – and then lives it again with each call failing in each way (reliability.md T3). What must hold every time: the
// failure is of the right class and says what to do, 'nothing happened' is said only where nothing happened, a create is
// never sent twice, it ends within its limit, no look invents a difference, no damaged file passes for a whole one, and
// doing it again afterwards comes to the same end as if nothing had been wrong.
func FaultTable(t *testing.T, s FaultSubject) {
	t.Helper()
	clean := newLife(t, s, newFaultProxy(s, FaultThrottled.patience(0, 1)))
	defer clean.end()
	clean.others()
	clean.up(nil)
	upLive := clean.live()
	clean.read(nil)
	clean.down(nil)
	table := &faultTable{t: t, s: s, clean: clean, live: upLive}
	for _, f := range s.faults() {
		for _, times := range f.times() {
			table.changes(f, times)
			table.firstLooks(f, times)
		}
	}
	table.readInGroups()
	table.run()
	t.Logf("%d calls in %d steps, %d cases; on %d the fault could not show", table.calls(), len(clean.order), table.cases.Load(), table.sparedCases.Load())
}

func (s FaultSubject) faults() []Fault {
	out := Faults()
	for name := range s.RetryHeaders {
		out = append(out, FaultThrottled+Fault(" "+name))
	}
	slices.Sort(out)
	return out
}

// faultTable holds the work to do: jobs are independent of each other.
type faultTable struct {
	t     *testing.T
	s     FaultSubject
	clean *life
	live  []string // after a clean provisioning
	jobs  []job

	cases, sparedCases atomic.Int64
}

func (x *faultTable) calls() int {
	n := 0
	for _, calls := range x.clean.steps {
		n += len(calls)
	}
	return n
}

// always strikes every call of a name until the step ends: the client's own retries meet it too.
const always = -1

// strike is the fault of one step of a life.
type strike struct {
	call  string
	fault Fault
	times int // 1 or always
}

// changes lives one whole life for each place of a call within its step: in every change the n-th call fails.
func (x *faultTable) changes(f Fault, times int) {
	most := 0
	for _, name := range x.clean.order {
		if isChange(name) {
			most = max(most, len(x.clean.steps[name]))
		}
	}
	for n := range most {
		x.jobs = append(x.jobs, job{f, func(l *life) {
			at := func(step string) *strike {
				if calls := x.clean.steps[step]; isChange(step) && n < len(calls) {
					return &strike{calls[n], f, times}
				}
				return nil
			}
			l.up(at)
			if diff := cmp.Diff(x.live, l.live()); diff != "" {
				l.t.Errorf("%s at call %d of each change: another end than without faults (-clean +faulted):\n%s", f, n+1, diff)
			}
			l.down(at)
		}})
	}
}

// firstLooks fails each call of the very first look of a fresh world, sign-in included, and what other kinds of credential
// call besides.
func (x *faultTable) firstLooks(f Fault, times int) {
	for _, call := range x.clean.steps[stepFirstLook] {
		x.jobs = append(x.jobs, job{f, func(l *life) {
			l.look(stepFirstLook, &strike{call, f, times}, x.clean.todo[stepFirstLook])
		}})
	}
	for i, a := range x.clean.world.Others {
		for _, call := range x.clean.steps[stepFirstLook+" by "+a.Credential.Kind] {
			if !slices.Contains(x.clean.steps[stepFirstLook], call) {
				x.jobs = append(x.jobs, job{f, func(l *life) {
					l.todo = x.clean.todo
					l.otherLook(i, &strike{call, f, times})
				}})
			}
		}
	}
}

// readInGroups fails each call of a look at what stands, of the lists of exports and of deliveries, and of a fetch. Many such cases share
// a world, because reading changes nothing; those that wait are spread over more of them.
func (x *faultTable) readInGroups() {
	type reading struct {
		step string
		hit  strike
	}
	var quick, stalls, trickles []reading
	for _, f := range x.s.faults() {
		for _, times := range f.times() {
			for _, step := range []string{stepLook, stepExisting, stepList, stepFetch} {
				for _, call := range x.clean.steps[step] {
					switch r := (reading{step, strike{call, f, times}}); f {
					case FaultStall:
						stalls = append(stalls, r)
					case FaultTrickle:
						trickles = append(trickles, r)
					default:
						quick = append(quick, r)
					}
				}
			}
		}
	}
	spread := func(all []reading, worlds int) {
		for w := range worlds {
			var mine []reading
			for i := w; i < len(all); i += worlds {
				mine = append(mine, all[i])
			}
			x.readWorld(mine[0].hit.fault, func(l *life) {
				for _, r := range mine {
					switch r.step {
					case stepLook:
						l.look(stepLook, &r.hit, nil)
					case stepExisting:
						l.existing(&r.hit)
					case stepList:
						l.list(&r.hit)
					case stepFetch:
						l.fetch(&r.hit)
					}
				}
			})
		}
	}
	spread(stalls, 5)
	spread(trickles, 5)
	spread(quick, 3)
}

// readWorld reads in a world in which everything stands and was delivered.
func (x *faultTable) readWorld(f Fault, read func(*life)) {
	x.jobs = append(x.jobs, job{f, func(l *life) {
		l.up(nil)
		if err := l.world.Deliver(); err != nil {
			l.t.Errorf("delivering: %v", err)
			return
		}
		l.existing(nil)
		l.list(nil)
		l.fetch(nil)
		read(l)
	}})
}

// The steps of a life that are not changes.
const (
	stepFirstLook = "first look"
	stepLook      = "look"
	stepExisting  = "existing exports"
	stepList      = "list"
	stepFetch     = "fetch"
	stepLookDown  = "look before removal"
)

func isChange(step string) bool { return strings.HasPrefix(step, "change ") }

// life is one source in one world from its first look to its end.
type life struct {
	t        *scope
	table    *faultTable // nil for the clean life
	world    *FaultWorld
	proxy    *FaultProxy
	order    []string
	steps    map[string][]string // the calls of each step, each once, in order
	todo     map[string][]string // what each look's plan wants done
	files    []string            // contents of what was fetched
	first    []outlay.Delivery
	standing []outlay.Existing

	cases, spared int64
}

func newLife(t testing.TB, s FaultSubject, p *FaultProxy) *life {
	own := &scope{TB: t}
	return &life{t: own, world: s.World(own, p), proxy: p, steps: map[string][]string{}, todo: map[string][]string{}}
}

// end takes the life's world down.
func (l *life) end() { l.t.end() }

func (l *life) live() []string {
	out := l.world.Live()
	slices.Sort(out)
	return out
}

// step runs do as one step: without a strike its calls are recorded, with one its failure is judged, and then it is done
// again until it succeeds.
func (l *life) step(name string, hit *strike, do func(context.Context) error) {
	if hit == nil {
		l.proxy.arm("", "", 0)
		err := l.again(name, do)
		_, _, calls := l.proxy.disarm()
		if err != nil {
			l.t.Errorf("%s without faults: %v", name, err)
		}
		if _, known := l.steps[name]; !known {
			l.order = append(l.order, name)
		}
		for _, c := range calls {
			if !slices.Contains(l.steps[name], c) {
				l.steps[name] = append(l.steps[name], c)
			}
		}
		return
	}
	before := l.live()
	l.proxy.arm(hit.call, hit.fault, hit.times)
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	began := time.Now()
	err := do(ctx)
	took := time.Since(began)
	cancel()
	hits, spared, calls := l.proxy.disarm()
	l.judge(name, *hit, err, before, took)
	if took > limit+grace {
		l.say(name, *hit, "it took %v", took)
	}
	if hits == 0 {
		l.say(name, *hit, "the call was not made")
	}
	l.count(hits, spared)
	l.onlyOnce(name, *hit, calls)
	if err != nil {
		if err := l.again(name, do); err != nil {
			l.say(name, *hit, "doing it again fails: %v", err)
		}
	}
}

func (l *life) say(step string, hit strike, format string, args ...any) {
	often := "once"
	if hit.times == always {
		often = "always"
	}
	l.t.Errorf("%s · %s · %s, %s: %s", step, hit.call, hit.fault, often, fmt.Sprintf(format, args...))
}

func (l *life) count(hits int, spared bool) {
	if hits > 0 {
		l.cases++
	}
	if spared {
		l.spared++
	}
}

func (l *life) onlyOnce(step string, hit strike, calls []string) {
	seen := map[string]int{}
	for _, c := range calls {
		if l.table.s.Once(c) {
			seen[c]++
		}
	}
	for c, n := range seen {
		if n > 1 {
			l.say(step, hit, "%s was sent %d times", c, n)
		}
	}
}

// again does a step until it succeeds, as the engine would: what waits for a while is tried a few times.
func (l *life) again(name string, do func(context.Context) error) (err error) {
	for range 6 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		err = do(ctx)
		cancel()
		if err == nil || !outlay.CodeOf(err).Retryable() && outlay.CodeOf(err) != outlay.CodeConflict {
			return err
		}
		// The engine looks before it repeats. What it sees does not matter here; that time passes for the cloud does.
		_, _ = l.world.Provider.Observe(context.Background(), l.world.Account, l.world.Source, outlay.Look{})
	}
	return err
}

// judge holds a failure against what is true.
func (l *life) judge(step string, hit strike, err error, before []string, took time.Duration) {
	if err == nil {
		return
	}
	e, ok := errors.AsType[*outlay.Error](err)
	switch {
	case !ok:
		l.say(step, hit, "an error that nobody can act on: %v", err)
		return
	case took >= limit && e.Code == outlay.CodeUnavailable: // it waited until its time was over
	case !slices.Contains(hit.fault.codes(), e.Code):
		l.say(step, hit, "the failure is called %s: %v", e.Code, err)
	case e.Message == "" || e.Fix == "":
		l.say(step, hit, "it does not say what to do: %q, %q", e.Message, e.Fix)
	case strings.Contains(e.Message+e.Fix, "127.0.0.1"):
		l.say(step, hit, "the text names an address: %q", e.Message)
	}
	if isWhole(step) && e.Outcome != outlay.Unknown {
		if diff := cmp.Diff(before, l.live()); diff != "" {
			l.say(step, hit, "it is said that nothing happened, but (-before +after):\n%s", diff)
		}
	}
}

// isWhole tells changes that make or remove one thing: after them Live tells what happened.
func isWhole(step string) bool {
	return strings.HasPrefix(step, "change create ") || strings.HasPrefix(step, "change delete ")
}

// contentOf reads fetched files, for comparison.
func contentOf(paths []string) ([]string, error) {
	var out []string
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			return nil, err
		}
		out = append(out, string(b))
	}
	return out, nil
}
