package web

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"outlay"
	"outlay/control"
)

type runBody struct {
	control.RunView
	Heading   string
	Current   string // the step under way, or how it ended
	MayResume bool
	MayUndo   bool
	Again     string // where the same can be asked for once more; "" where it cannot
	Asks      bool   // it waits for a person's step
	Ask       string // which one
}

func (s *site) runBody(c *call, v control.RunView) runBody {
	b := runBody{RunView: v, Heading: v.Title, Current: "Finished"}
	stopped := v.Status == outlay.OpWaiting && v.Problem != nil
	switch v.Status {
	case outlay.OpQueued:
		b.Current = "Waiting to start"
	case outlay.OpRunning:
		b.Current = "Under way"
	case outlay.OpWaiting:
		b.Current = "Waiting"
	case outlay.OpFailed:
		b.Current = "Stopped"
	}
	for _, x := range v.Steps {
		if x.State == outlay.StepRunning || (stopped && (x.State == outlay.StepWaiting || x.State == outlay.StepFailed)) {
			b.Current = x.Title
		}
	}
	if b.Asks = stopped && v.Problem.Manual != nil; b.Asks {
		b.Current, b.Ask = "Waiting for you", strings.TrimPrefix(v.Problem.Message, "Waiting for you: ")
	}
	b.MayResume = v.Status == outlay.OpWaiting && c.actor.May(outlay.BillingProvision)
	b.MayUndo = v.Kind == outlay.OpProvision && (stopped || v.Status == outlay.OpFailed) && c.actor.May(outlay.BillingDeprovision)
	if v.Status == outlay.OpFailed {
		b.Again = again(c.actor, v)
	}
	return b
}

// again is where what a run did can be asked for once more, by somebody who may.
func again(a outlay.Actor, v control.RunView) string {
	account := "/accounts/" + v.AccountID
	switch {
	case v.Kind.Removes() && !a.May(outlay.BillingDeprovision), !v.Kind.Removes() && !a.May(outlay.BillingProvision):
		return ""
	case v.Kind == outlay.OpDeprovision:
		return account + "/billing/deprovision"
	case v.Kind == outlay.OpDeleteKept:
		return "/sources/" + v.SourceID + "/kept"
	case v.Kind == outlay.OpProvision:
		return account + "/billing/provision"
	}
	return account
}

// run is the page of one run. With JavaScript it follows the stream, without it reloads.
func (s *site) run(c *call) error { return s.showRun(c, c.r.PathValue("id"), nil, http.StatusOK) }

func (s *site) showRun(c *call, id string, e *outlay.Error, status int) error {
	v, err := s.Control.Run(c.r.Context(), c.actor, id)
	if err != nil {
		return err
	}
	p := page{Title: v.Title, Active: "/accounts", Status: status, Error: e, Body: s.runBody(c, v)}
	if v.Status.Active() {
		p.Refresh = 3
	}
	return s.show(c, "run", p)
}

// A stream ends after streamFor and the browser asks again, so that a role that was taken away ends it too. Every
// streamBeat a comment keeps proxies from closing it.
const (
	streamFor  = 5 * time.Minute
	streamBeat = 15 * time.Second
)

type runChange struct {
	view control.RunView
	err  error
}

// runEvents streams the changing part of a run's page: one unnamed message per change with the whole part, so that a
// reconnecting page misses nothing, and 'done' at the end.
func (s *site) runEvents(c *call) error {
	id := c.r.PathValue("id")
	if _, err := s.Control.Run(c.r.Context(), c.actor, id); err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(c.r.Context(), streamFor)
	defer stop()
	changes := make(chan runChange)
	go func() {
		defer close(changes)
		for v, err := range s.Control.WatchRun(ctx, c.actor, id) {
			select {
			case changes <- runChange{v, err}:
			case <-ctx.Done():
				return
			}
		}
	}()
	c.w.Header().Set("Content-Type", "text/event-stream")
	c.w.Header().Set("X-Accel-Buffering", "no")
	out := http.NewResponseController(c.w)
	_ = out.SetWriteDeadline(time.Time{}) // a server without deadlines refuses, which is as good
	beat := time.NewTicker(streamBeat)
	defer beat.Stop()
	for {
		select {
		case x, more := <-changes:
			text, last := s.runMessage(c, x, more)
			if _, err := c.w.Write(text); err != nil || out.Flush() != nil || last {
				return nil // the browser went away, or there is nothing more to say
			}
		case <-beat.C:
			if _, err := c.w.Write([]byte(": still here\n\n")); err != nil || out.Flush() != nil {
				return nil
			}
		}
	}
}

// runMessage is one change as a server-sent event, and whether it was the last.
func (s *site) runMessage(c *call, x runChange, more bool) (text []byte, last bool) {
	if !more {
		return []byte("retry: 1000\n\n"), true // time is up, or the reader left: the page asks again
	}
	err := x.err
	var part []byte
	if err == nil {
		part, err = s.render("run", "part", page{Body: s.runBody(c, x.view)})
	}
	if err != nil {
		s.Log.WarnContext(c.r.Context(), "a run's stream ended", "run", c.r.PathValue("id"), "error", err)
		if code := outlay.CodeOf(err); code == outlay.CodeForbidden || code == outlay.CodeUnauthenticated || code == outlay.CodeNotFound {
			return []byte("event: done\ndata: failed\n\n"), true
		}
		return []byte("retry: 1000\n\n"), true // it may pass: a page that was told 'done' would never ask again
	}
	text = message(part)
	if !x.view.Status.Active() {
		return append(text, "event: done\ndata: "+string(x.view.Status)+"\n\n"...), true
	}
	return text, false
}

// message wraps HTML as an unnamed server-sent event.
func message(html []byte) []byte {
	var b bytes.Buffer
	for line := range bytes.Lines(html) {
		fmt.Fprintf(&b, "data: %s\n", bytes.TrimRight(line, "\r\n")) // white space stays: a policy is shown as it is
	}
	b.WriteString("\n")
	return b.Bytes()
}

// resumeRun has a waiting run try again from the step where it stopped.
func (s *site) resumeRun(c *call) error {
	v, err := s.Control.Resume(c.r.Context(), c.actor, c.r.PathValue("id"))
	return s.afterRun(c, v, err)
}

// undoRun removes what a stopped run made.
func (s *site) undoRun(c *call) error {
	v, err := s.Control.Undo(c.r.Context(), c.actor, c.r.PathValue("id"))
	return s.afterRun(c, v, err)
}

func (s *site) afterRun(c *call, v control.RunView, err error) error {
	if err == nil {
		return redirect(c, "/runs/"+v.ID)
	}
	e, status, err := formProblem(c, err)
	if err != nil {
		return err
	}
	return s.showRun(c, c.r.PathValue("id"), e, status)
}
