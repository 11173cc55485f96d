package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// report gathers lines, the table of queries, and how each goal came out.
type report struct {
	lines []string
	table [][]string
	goals []goal
}

// goal is one goal of performance.md §9 and what was measured.
type goal struct {
	id, what string
	got      float64
	bound    bound
}

// bound is what a figure must keep.
type bound struct {
	sign  string
	value float64
}

func atLeast(v float64) bound { return bound{"≥", v} }
func atMost(v float64) bound  { return bound{"≤", v} }

func (g goal) met() bool {
	if g.bound.sign == "≥" {
		return g.got >= g.bound.value
	}
	return g.got <= g.bound.value
}

// line adds a finding, and shows it at once: a run takes minutes.
func (r *report) line(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	fmt.Println(s)
	r.lines = append(r.lines, s)
}

func (r *report) goal(id, what string, got float64, b bound) {
	r.goals = append(r.goals, goal{id, what, got, b})
	fmt.Printf("%s %.3f (%s %g)\n", id, got, b.sign, b.value)
}

// write prints the whole as Markdown, and to the file that was asked for.
func (r *report) write(s settings) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# What `make bench` found\n\nWritten by `go run ./bench -rows %d -runs %d -memory %d` on %s, %d cores, %s. Goals are those of performance.md §9; each is a ratio within this run.\n\n",
		s.rows, s.runs, s.memory>>20, time.Now().UTC().Format(time.DateOnly), runtime.NumCPU(), runtime.Version())
	b.WriteString("| goal | what | wanted | measured | met |\n| --- | --- | --- | --- | --- |\n")
	missed := 0
	for _, g := range r.goals {
		met := "yes"
		if !g.met() {
			met = "**no**"
			missed++
		}
		fmt.Fprintf(&b, "| %s | %s | %s %g | %.3f | %s |\n", g.id, g.what, g.bound.sign, g.bound.value, g.got, met)
	}
	b.WriteString("\n")
	for _, l := range r.lines {
		fmt.Fprintf(&b, "- %s\n", l)
	}
	b.WriteString("\n")
	for i, row := range r.table {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			b.WriteString("|" + strings.Repeat(" --- |", len(row)) + "\n")
		}
	}
	fmt.Printf("\n%s\n", b.String())
	if s.out != "" {
		if err := os.WriteFile(s.out, []byte(b.String()), 0o644); err != nil {
			return fmt.Errorf("writing the report: %w", err)
		}
	}
	if missed > 0 {
		fmt.Printf("%d of %d goals missed\n", missed, len(r.goals))
	}
	return nil
}
