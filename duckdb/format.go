package duckdb

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"outlay"
)

// choose finds out what a job's files are, by their columns and, where these do not tell, by their names, and takes the
// mapping for it. A job whose formats are not given has its mapping already.
func (p *parsing) choose() error {
	if len(p.job.Formats) == 0 {
		return nil
	}
	var kinds []outlay.ParseFormat
	var halves []batch // the batches again, each of one kind of files
	for _, b := range p.batches {
		for _, f := range b.files {
			kind, err := p.kindOf(b, f)
			if err != nil {
				return err
			}
			halves = addHalf(halves, b, f, kind)
			if !slices.ContainsFunc(kinds, func(k outlay.ParseFormat) bool { return k.ID == kind.ID }) {
				kinds = append(kinds, kind)
			}
		}
	}
	first := kinds[0]
	switch {
	case len(kinds) == 1 && first.ID == "":
		return nil // FOCUS, by the job's own mapping
	case len(kinds) == 1:
		p.job.Mapping, p.format, p.title = first.Mapping, first.ID, first.Title
		return nil
	}
	var titles []string
	for _, k := range kinds {
		titles = append(titles, titleOf(k))
		if first.Together == "" || k.Together != first.Together || folderOf(k) != folderOf(first) {
			first.Together = ""
		}
	}
	if first.Together == "" {
		return outlay.Errorf(outlay.CodeInvalid, "Import each kind by itself, under a name of its own.", "the files are bills of different kinds: %s", strings.Join(titles, ", ")).InField("files")
	}
	p.job.Mapping, p.format, p.title = first.Joined, folderOf(first)+first.Together, strings.Join(titles, " with ")
	p.batches = halves
	return nil
}

// addHalf puts a file of a batch among the files of the same columns and the same kind.
func addHalf(halves []batch, b batch, f input, kind outlay.ParseFormat) []batch {
	for i := range halves {
		if halves[i].half.ID == kind.ID && slices.Equal(halves[i].columns, b.columns) && halves[i].files[0].parquet == f.parquet {
			halves[i].files = append(halves[i].files, f)
			return halves
		}
	}
	b.half, b.files = kind, []input{f}
	return append(halves, b)
}

// holds notes that a month has charges in a kind of files.
func (m *month) holds(kind outlay.ParseFormat) {
	if m.halves == nil {
		m.halves = map[string]bool{}
	}
	m.halves[kind.ID] = true
}

// whole refuses a month of which a half is missing: half of its costs would be nothing.
func (p *parsing) whole(months []*month) error {
	for _, m := range months {
		for _, b := range p.batches {
			if !m.halves[b.half.ID] {
				return invalid(b.names(), "Bring the files of "+titleOf(b.half)+" for that month too, or import each kind by itself, under a name of its own.",
					"%s is not whole: %s has no charges of it, and other files have", m.period, b.names())
			}
		}
	}
	return nil
}

// folderOf is what stands before the format in an ID.
func folderOf(f outlay.ParseFormat) string { return strings.TrimSuffix(f.ID, f.Format) }

func titleOf(f outlay.ParseFormat) string {
	if f.ID == "" {
		return "FOCUS"
	}
	return f.Title
}

// kindOf is what one file is; the zero format stands for FOCUS.
func (p *parsing) kindOf(b batch, in input) (outlay.ParseFormat, error) {
	var maybe []outlay.ParseFormat
	for _, f := range p.job.Formats {
		if len(lackedBy(b, f.Columns)) > 0 {
			continue
		}
		fits, err := nameFits(f, in.name)
		if err != nil {
			return f, err
		}
		if fits {
			return f, nil
		}
		maybe = append(maybe, f)
	}
	switch {
	case len(maybe) > 0:
		return outlay.ParseFormat{}, severalKinds(in, maybe)
	case p.job.Mapping.SQL != "" && hasCost(b):
		return outlay.ParseFormat{}, nil
	}
	return outlay.ParseFormat{}, p.unknownKind(b, in)
}

// nameFits tells whether a file's name is one that a format wants.
func nameFits(f outlay.ParseFormat, name string) (bool, error) {
	if f.Name == "" {
		return true, nil
	}
	re, err := regexp.Compile(f.Name)
	if err != nil {
		return false, fmt.Errorf("the pattern of format %s: %w", f.ID, err)
	}
	return re.MatchString(name), nil
}

// lackedBy lists the columns that a batch does not have, whatever their letter case.
func lackedBy(b batch, columns []string) []string {
	return slices.DeleteFunc(slices.Clone(columns), func(c string) bool { return b.kind(c) != "" })
}

// hasCost tells whether a batch has one of the four costs of FOCUS.
func hasCost(b batch) bool {
	return slices.ContainsFunc(outlay.Measures(), func(m outlay.Measure) bool { return b.kind(string(m)) != "" })
}

// severalKinds refuses a file whose columns fit several formats and whose name fits none.
func severalKinds(in input, kinds []outlay.ParseFormat) error {
	var titles, ids []string
	for _, k := range kinds {
		if !slices.Contains(ids, k.ID) {
			titles, ids = append(titles, k.Title), append(ids, k.ID)
		}
	}
	return invalid(in.name, "Say which it is by its format, "+strings.Join(ids, " or ")+", or by the file's name.", "%s can be %s: its columns do not tell", in.name, strings.Join(titles, " or "))
}

// unknownKind says what was looked for in a file that is nothing of it.
func (p *parsing) unknownKind(b batch, in input) error {
	if p.job.Mapping.SQL == "" { // one format was asked for
		f := p.job.Formats[0]
		return invalid(in.name, "Leave the format out, and it is found by the columns.", "%s is not %s: it lacks %s", in.name, f.Title, strings.Join(lackedBy(b, f.Columns), ", "))
	}
	looked := []string{"FOCUS (BilledCost, EffectiveCost, ListCost, ContractedCost)"}
	for _, f := range p.job.Formats {
		looked = append(looked, f.Title+" ("+strings.Join(f.Columns, ", ")+")")
	}
	return invalid(in.name, "Looked for the columns of "+strings.Join(looked, "; ")+".", "%s is no bill that Outlay knows by its columns", in.name)
}
