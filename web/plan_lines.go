package web

import (
	"strings"

	"outlay"
)

// planLine is one line of a plan: a change, or several of one kind in a row that differ in their name only.
type planLine struct {
	outlay.Change
	Names []string
}

// Times is how many changes the line stands for.
func (l planLine) Times() int { return len(l.Names) }

// planLines folds neighbours of one kind into one line, so that nine tags are not nine lines.
func planLines(changes []outlay.Change) []planLine {
	var out []planLine
	for _, c := range changes {
		if n := len(out); n > 0 && same(out[n-1], c) {
			out[n-1].Names = append(out[n-1].Names, c.Name)
			continue
		}
		out = append(out, planLine{c, []string{c.Name}})
	}
	for i := range out {
		if out[i].Times() > 1 {
			out[i].Title = bare(out[i].Change)
		}
	}
	return out
}

func same(l planLine, c outlay.Change) bool {
	return l.Kind == c.Kind && l.Action == c.Action && l.Detail == c.Detail && l.Hold == c.Hold && bare(l.Change) == bare(c)
}

// bare is a change's title without the name that it ends with.
func bare(c outlay.Change) string { return strings.TrimSpace(strings.TrimSuffix(c.Title, c.Name)) }

// region is what a region is called, with its id in front where the title does not begin with it.
func region(r outlay.Region) string {
	if strings.HasPrefix(r.Title, r.ID) {
		return r.Title
	}
	return r.ID + " · " + r.Title
}
