package provision

import (
	"fmt"

	"outlay"
	"outlay/operation"
)

// role says what a step of a run does.
type role int

const (
	roleBind    role = iota // is the credential still the account that it was bound to?
	roleLook                // is there something of this name already?
	roleChange              // make the change
	roleVerify              // wait until the resource is as wanted
	roleManual              // wait until a person did what no API offers
	roleHold                // cannot be done yet: the hourly look tries again
	rolePublish             // hand over to the hourly look
)

// step is one step of a run with the change that it belongs to.
type step struct {
	role   role
	change outlay.Change
	line   operation.Line
}

// layout turns a plan into the steps of a run. The names of the points come from the changes, so that a sweep knows
// them from the plan alone: two for a read, five for a change (reliability.md §3.2).
func layout(op outlay.Operation, info outlay.ProviderInfo) []step {
	first := operation.Line{Title: "Check the credential", Point: "bind", Detail: "Sign in with the stored credential"}
	last := operation.Line{Title: "Hand over to the hourly look", Point: "publish", Detail: info.FirstData}
	if op.Kind.Removes() {
		first = operation.Line{Title: "Check what exists", Point: "plan", Detail: "Compare with what was recorded"}
		last = operation.Line{Title: "Check that nothing is left", Point: "publish"}
	}
	steps := []step{{role: roleBind, line: first}}
	for _, c := range op.Plan.Changes {
		if op.Kind == outlay.OpReconcile && !c.Auto {
			continue // the hourly look changes nothing that a person has not allowed
		}
		steps = append(steps, layoutChange(c)...)
	}
	return append(steps, step{role: rolePublish, line: last})
}

func layoutChange(c outlay.Change) []step {
	if c.Action == outlay.ActionKeep {
		return nil
	}
	line := operation.Line{Title: stepTitle(c), Detail: c.Detail, Resource: c.Key(), Point: fmt.Sprintf("%s %s", c.Action, c.Kind)}
	switch {
	case c.Hold != "":
		line.Hold = c.Hold
		return []step{{role: roleHold, change: c, line: line}}
	case c.Action == outlay.ActionManual:
		return []step{{role: roleManual, change: c, line: line}}
	}
	var steps []step
	if c.Look != "" {
		steps = append(steps, step{role: roleLook, change: c, line: operation.Line{Title: c.Look, Point: "look " + string(c.Kind)}})
	}
	steps = append(steps, step{role: roleChange, change: c, line: line})
	if c.Verify != "" {
		steps = append(steps, step{role: roleVerify, change: c, line: operation.Line{Title: c.Verify, Point: "verify " + string(c.Kind)}})
	}
	return steps
}

func stepTitle(c outlay.Change) string {
	if c.Step != "" {
		return c.Step
	}
	return c.Title
}

func lines(steps []step) []operation.Line {
	out := make([]operation.Line, len(steps))
	for i, s := range steps {
		out[i] = s.line
	}
	return out
}

// Points lists the injection points of a run of op, in order: what a crash sweep has to reach.
func Points(op outlay.Operation) []string {
	var out []string
	for _, s := range layout(op, outlay.ProviderInfo{}) {
		switch s.role {
		case roleHold:
		case roleManual:
			if !op.Kind.Removes() {
				out = append(out, s.line.Point+".before", s.line.Point+".after")
			}
		case roleChange:
			for _, at := range []string{"before_intent", "after_intent", "sent", "before_record", "after_record"} {
				out = append(out, s.line.Point+"."+at)
			}
		default:
			out = append(out, s.line.Point+".before", s.line.Point+".after")
		}
	}
	return out
}
