// Command outlay is the whole product in one binary: the server, the demo, the parser child and the command line.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"outlay"
)

// version is set when a release is linked.
var version = "0.1.0-dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, world{args: os.Args[1:], in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.Getenv})
	stop()
	os.Exit(code)
}

// world is what a command sees of the process, so that tests can give it another.
type world struct {
	args []string
	in   io.Reader
	out  io.Writer
	err  io.Writer
	env  func(string) string
}

// Exit statuses (ui.md §6.1).
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitForbidden   = 3
	exitNotFound    = 4
	exitConflict    = 5
	exitRunFailed   = 6
	exitTimeout     = 7
	exitInterrupted = 130
)

// run executes one command line and returns its exit status. Data goes to w.out, words to w.err.
func run(ctx context.Context, w world) int {
	c := &cli{world: w}
	root := c.root()
	root.SetArgs(w.args)
	root.SetIn(w.in)
	root.SetOut(w.out)
	root.SetErr(w.err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if ctx.Err() != nil {
		return exitInterrupted
	}
	return c.fail(err)
}

// fail prints what went wrong and what to type next.
func (c *cli) fail(err error) int {
	if u, ok := errors.AsType[usageError](err); ok {
		fmt.Fprintf(c.err, "outlay: %s\n", u.text)
		return exitUsage
	}
	if r, ok := errors.AsType[runError](err); ok {
		fmt.Fprintf(c.err, "outlay: %s\n", r.text)
		return r.code
	}
	e, ok := errors.AsType[*outlay.Error](err)
	if !ok {
		fmt.Fprintf(c.err, "outlay: %v\n", err)
		if c.parsed {
			return exitFailure
		}
		fmt.Fprintln(c.err, "See outlay --help.")
		return exitUsage
	}
	text := e.Error()
	if !strings.Contains(text, e.Field) { // not twice: 'bill.csv line 3, column BilledCost: …'
		text = e.Field + ": " + text
	}
	fmt.Fprintf(c.err, "outlay: %s\n", text)
	for _, n := range e.Needs {
		fmt.Fprintf(c.err, "  missing: %s on %s\n", n.Action, n.Resource)
	}
	if e.Fix != "" {
		fmt.Fprintf(c.err, "  %s\n", e.Fix)
	}
	switch e.Code {
	case outlay.CodeUnauthenticated, outlay.CodeForbidden:
		return exitForbidden
	case outlay.CodeNotFound:
		return exitNotFound
	case outlay.CodeConflict:
		return exitConflict
	}
	return exitFailure
}

// usageError is a command line that makes no sense.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

// runError is a run that did not end well.
type runError struct {
	text string
	code int
}

func (e runError) Error() string { return e.text }
