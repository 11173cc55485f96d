package ingest_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"outlay"
	"outlay/duckdb"
	"outlay/ingest"
	"outlay/outlaytest"
)

// seeds is how often the sweep dies at every point.
var seeds = flag.Int("ingest.seeds", 1, "rounds of the crash sweep")

// childJob is what a child process does: it is a server that dies at a point, at its nth passing.
type childJob struct {
	Dir, URL string
	Point    string // "" to live
	Nth      int
	Reached  string                // a file that is written when the point is reached
	Import   *ingest.ImportRequest // import this, instead of working through the tasks
	Remove   string                // remove the history of this source
	Tidy     bool                  // tidy the lake, and nothing else
}

func (j childJob) run() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	h, err := openHouse(ctx, j.Dir, j.URL, outlay.SystemClock{})
	if err != nil {
		return err
	}
	passed := 0
	g := h.ingest(func(point string) {
		if point != j.Point {
			return
		}
		if passed++; passed < j.Nth {
			return
		}
		if err := os.WriteFile(j.Reached, nil, 0o600); err != nil {
			panic(err)
		}
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal is on its way
	})
	switch {
	case j.Import != nil:
		_, err = g.ImportFiles(ctx, *j.Import, duckdb.FocusMapping())
		return err
	case j.Remove != "":
		return g.RemoveHistory(ctx, org, j.Remove)
	case j.Tidy:
		return g.Tidy(ctx, org)
	}
	return h.workOff(ctx, g)
}

// workOff works until no ingest task is left: those that a dead process holds become due when their lease ends.
func (h *house) workOff(ctx context.Context, g *ingest.Ingest) error {
	w := h.worker(g)
	for {
		if _, err := w.Drain(ctx); err != nil {
			return err
		}
		left := 0
		err := h.store.ReadOrg(ctx, org, func(tx outlay.Tx) error {
			tasks, err := tx.Tasks(ctx)
			for _, t := range tasks {
				if t.Kind == ingest.TaskIngest {
					left++
				}
			}
			return err
		})
		if err != nil || left == 0 {
			return err
		}
		pause := time.NewTimer(20 * time.Millisecond)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-pause.C:
		}
	}
}

// start runs a child to its end, and tells whether it reached its point.
func (j childJob) start(t *testing.T) bool {
	t.Helper()
	j.Reached = filepath.Join(t.TempDir(), "reached")
	arg, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(os.Args[0], "serve", string(arg)).CombinedOutput()
	_, statErr := os.Stat(j.Reached)
	if err != nil && statErr != nil {
		t.Fatalf("a child that should live: %v\n%s", err, out)
	}
	return statErr == nil
}

// tally is the figures of a sweep.
type tally struct {
	runs, kills, reads, wrongReads, wrongFinals, left int
	reached                                           map[string]bool
}

// watch reads like a dashboard until stop is closed, and counts totals that belong to no version.
func (h *house) watch(t *testing.T, possible []map[string]string, stop chan struct{}) (reads, wrong int) {
	engine := newEngine(t)
	pace := time.NewTicker(2 * time.Millisecond) // leaves the processor to the servers
	defer pace.Stop()
	for {
		got, err := shown(t.Context(), h.store, engine)
		if err != nil {
			t.Errorf("a reader failed: %v", err)
			return reads, wrong
		}
		reads++
		ok := false
		for _, p := range possible {
			ok = ok || fmt.Sprint(p) == fmt.Sprint(got)
		}
		if !ok {
			wrong++
			t.Errorf("a reader saw %v, possible are %v", got, possible)
		}
		select {
		case <-stop:
			return reads, wrong
		case <-pace.C:
		}
	}
}

// scenario is one way to change what is shown, from one total to another.
type scenario struct {
	point    string
	job      childJob
	possible []map[string]string // the last one is how it ends
}

// die runs the scenario: killed at its point, killed once more at a random one, then left alone.
func (s scenario) die(t *testing.T, h *house, random *rand.Rand, sum *tally) {
	stop := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		reads, wrong := h.watch(t, s.possible, stop)
		sum.reads, sum.wrongReads = sum.reads+reads, sum.wrongReads+wrong
	})
	s.job.Dir, s.job.URL = h.Dir, h.URL
	points := ingest.Points()
	for n, point := range []string{s.point, points[random.IntN(len(points))], ""} {
		s.job.Point, s.job.Nth = point, 1
		if n == 0 && point == "import.committed" {
			s.job.Nth = 1 + random.IntN(2)
		}
		sum.runs++
		if s.job.start(t) {
			sum.kills++
			sum.reached[point] = true
		}
	}
	close(stop)
	group.Wait()
	before := t.Failed()
	h.shows(t, s.possible[len(s.possible)-1])
	if t.Failed() && !before {
		sum.wrongFinals++
	}
	before = t.Failed()
	c := outlaytest.NewClock(time.Now())
	h.clock = c
	later, err := openHouse(t.Context(), h.Dir, h.URL, c) // a server, 40 days later
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = later.store.Close() }()
	later.quiet(t, c)
	if t.Failed() && !before {
		sum.left++
	}
}

// TestCrashSweep kills a server with SIGKILL at every point of loads, imports and removals, while a reader polls; then
// once more at a random point; then lets one finish. Every second seed runs on PostgreSQL. A reader may only ever see the old total or the new one.
func TestCrashSweep(t *testing.T) {
	sum := tally{reached: map[string]bool{}}
	for seed := range uint64(*seeds) {
		random := rand.New(rand.NewPCG(seed, 7))
		for _, point := range ingest.Points() {
			t.Run(fmt.Sprintf("%s/%d", point, seed), func(t *testing.T) {
				url := ""
				if seed%2 == 1 {
					url = outlaytest.Postgres(t)
				}
				h := newHouse(t, url, outlay.SystemClock{})
				scene(t, h, point, random).die(t, h, random, &sum)
			})
		}
	}
	for _, p := range ingest.Points() {
		if !sum.reached[p] {
			t.Errorf("point %s was never reached", p)
		}
	}
	t.Logf("%d points, %d seeds: %d server runs, %d killed; %d reads, %d wrong; %d wrong finals; %d left something behind",
		len(ingest.Points()), *seeds, sum.runs, sum.kills, sum.reads, sum.wrongReads, sum.wrongFinals, sum.left)
	if sum.kills < len(ingest.Points())**seeds || sum.reads == 0 {
		t.Error("the sweep did not do what it says")
	}
}

// scene prepares what a point belongs to.
func scene(t *testing.T, h *house, point string, random *rand.Rand) scenario {
	t.Helper()
	kind, _, _ := strings.Cut(point, ".")
	switch kind {
	case "import":
		return importScene(t, h, point, random)
	case "label":
		h.found(t, h.delivery(t, 1, bill(month, 3, "1")))
		h.drain(t)
		h.meanings(t)
		return scenario{point: point, job: childJob{Tidy: true}, possible: []map[string]string{only("3 rows 3")}}
	case "history":
		h.found(t, h.delivery(t, 1, bill(month, 3, "1")))
		h.drain(t)
		return scenario{point: point, job: childJob{Remove: source}, possible: []map[string]string{only("3 rows 3"), {}}}
	}
	rows := 1 + random.IntN(40)
	want := []map[string]string{{}, only(fmt.Sprintf("%d rows %d", rows, 2*rows))}
	if random.IntN(3) > 0 { // a restatement, mostly
		h.found(t, h.delivery(t, 1, bill(month, 3, "1")))
		h.drain(t)
		want[0] = only("3 rows 3")
	}
	if random.IntN(2) == 0 { // in two files
		h.found(t, h.delivery(t, 2, bill(month, rows, "2"), billHeader+"\n"))
	} else {
		h.found(t, h.delivery(t, 2, bill(month, rows, "2")))
	}
	return scenario{point: point, possible: want}
}

func importScene(t *testing.T, h *house, point string, random *rand.Rand) scenario {
	t.Helper()
	rows := 1 + random.IntN(40)
	first, err := h.importFiles(t, "bill", write(t, "a.csv", bill("2026-08", 2, "1")+strings.TrimPrefix(bill("2026-09", 3, "1"), billHeader+"\n")))
	if err != nil {
		t.Fatal(err)
	}
	path := write(t, "b.csv", bill("2026-09", rows, "2")+strings.TrimPrefix(bill("2026-10", rows, "3"), billHeader+"\n"))
	return scenario{
		point: point,
		job:   childJob{Import: &ingest.ImportRequest{OrgID: org, Name: "bill", Files: []ingest.ImportFile{{Name: "b.csv", Path: path}}}},
		possible: []map[string]string{
			months(first, "2026-08", "2 rows 2", "2026-09", "3 rows 3"),
			months(first, "2026-09", fmt.Sprintf("%d rows %d", rows, 2*rows), "2026-10", fmt.Sprintf("%d rows %d", rows, 3*rows)),
		},
	}
}
