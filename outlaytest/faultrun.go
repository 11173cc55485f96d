package outlaytest

import (
	"cmp"
	"os"
	"slices"
	"sync"
	"testing"
)

// job is what one life is lived for, under one fault or a few that are alike in pace.
type job struct {
	fault Fault
	live  func(*life)
}

// workers is how many lives go on at a time: most of them wait.
const workers = 12

func (x *faultTable) run() {
	// What waits long begins first, so that the rest fills the time.
	slices.SortStableFunc(x.jobs, func(a, b job) int { return cmp.Compare(b.fault.pace(), a.fault.pace()) })
	free := make(chan struct{}, workers)
	var done sync.WaitGroup
	for _, j := range x.jobs {
		free <- struct{}{}
		done.Go(func() {
			defer func() { <-free }() // even when a world could not be made, which ends the goroutine
			for n := 1; x.try(j, n); n++ {
			}
		})
	}
	done.Wait()
}

// tries is how often a job with a slow fault is lived at most. Clients that wait for so short a time also give up calls
// without a fault on a machine that is busy elsewhere; what is wrong with us is wrong each time.
const tries = 3

// try lives a job for the n-th time, and tells whether it is to be lived again.
func (x *faultTable) try(j job, n int) (again bool) {
	l := newLife(x.t, x.s, newFaultProxy(x.s, j.fault.patience(x.clean.proxy.slow, n)))
	defer l.end()
	l.table, l.t.lenient = x, n < tries && j.fault.slow()
	j.live(l)
	if l.t.held > 0 {
		return true
	}
	x.cases.Add(l.cases)
	x.sparedCases.Add(l.spared)
	return false
}

// scope is a test whose clean-ups run when a life ends, not when the test does: there are hundreds of lives.
type scope struct {
	testing.TB
	undo    []func()
	lenient bool // only counts complaints
	held    int
}

// Errorf fails the test, or only counts what it would have failed for.
func (s *scope) Errorf(format string, args ...any) {
	if s.lenient {
		s.held++
		return
	}
	s.TB.Errorf(format, args...)
}

// Cleanup notes what to do when the life ends.
func (s *scope) Cleanup(f func()) { s.undo = append(s.undo, f) }

// TempDir is a folder that goes with the life.
func (s *scope) TempDir() string {
	dir, err := os.MkdirTemp("", "outlay-fault-")
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = os.RemoveAll(dir) }) // a left-over folder fails no test
	return dir
}

func (s *scope) end() {
	for _, f := range slices.Backward(s.undo) {
		f()
	}
	s.undo = nil
}
