package web

import (
	"slices"
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

// Shown are the names, but for one that the title ends with.
func (l planLine) Shown() []string {
	return slices.DeleteFunc(slices.Clone(l.Names), func(name string) bool { return name == "" || strings.HasSuffix(l.Title, " "+name) })
}

// Rest is the detail without the name that it begins with, since that stands before it.
func (l planLine) Rest() string { return rest(l.Change) }

func rest(c outlay.Change) string {
	if c.Name == "" || !strings.HasPrefix(c.Detail, c.Name) {
		return c.Detail
	}
	after := c.Detail[len(c.Name):]
	if after != "" && !strings.HasPrefix(after, " ") && !strings.HasPrefix(after, ":") {
		return c.Detail // another, longer name
	}
	return sentence(strings.TrimLeft(after, ": "))
}

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
