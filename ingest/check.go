package ingest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"outlay"
)

// errEmpty marks a delivery without charges where there were some.
var errEmpty = errors.New("empty delivery")

// emptyProof is the proof of no charges.
func emptyProof() outlay.Proof {
	return outlay.Proof{Read: map[string]map[outlay.Measure]string{}, Written: map[string]map[outlay.Measure]string{}}
}

// check proves a parsed period before anybody may see it, and adds to its notes what a person should know. Checks R1
// and R2 of reliability.md §4.5 refuse; R7 and changes of columns or currency are notes.
func (l *load) check(p *outlay.ParsedPeriod, dir string) error {
	l.unit.Proof = &p.Proof
	if p.Period != l.unit.Period {
		return outlay.Errorf(outlay.CodeInvalid, "Wait for the next delivery.", "the delivery of %s holds charges of %s", l.unit.Period, p.Period)
	}
	if want := l.unit.Delivery.Rows; want >= 0 && p.Proof.Rows != want {
		return outlay.Errorf(outlay.CodeInvalid, "Wait for the next delivery.", "the delivery holds %d charges and declares %d", p.Proof.Rows, want)
	}
	if err := checkWritten(*p, dir); err != nil {
		return err
	}
	if p.Proof.Rows == 0 {
		return l.checkEmpty()
	}
	if l.previous != nil {
		p.Proof.Notes = append(p.Proof.Notes, changes(l.previous.Proof, p.Proof, open(l.unit))...)
	}
	p.Proof.Notes = append(p.Proof.Notes, negatives(p.Proof)...)
	return nil
}

// checkEmpty believes an empty delivery where there was nothing, or where the one before was empty too (clouds.md §2.9).
func (l *load) checkEmpty() error {
	if l.previous == nil || l.previous.Proof.Rows == 0 {
		return nil
	}
	if b := l.before; b != nil && b.Proof != nil && b.Proof.Rows == 0 {
		return nil
	}
	return outlay.Errorf(outlay.CodeInvalid, "The last version stays on show. A second empty delivery in a row is believed.", "the delivery of %s is empty: %w", l.unit.Period, errEmpty)
}

// checkWritten compares the two sums (R2), the rows of the files and the files themselves.
func checkWritten(p outlay.ParsedPeriod, dir string) error {
	if err := sameSums(p.Proof); err != nil {
		return err
	}
	var rows int64
	for _, f := range p.Files {
		rows += f.Rows
		if err := checkFile(f.Path, dir, f.Bytes); err != nil {
			return err
		}
	}
	for _, r := range p.Rollups {
		if err := checkFile(r, dir, -1); err != nil {
			return err
		}
	}
	if rows != p.Proof.Rows {
		return outlay.Errorf(outlay.CodeInternal, "It is tried again by itself.", "%d charges were read and %d written", p.Proof.Rows, rows)
	}
	return nil
}

// checkFile proves that a written file lies where it should, whole; size −1 is unknown.
func checkFile(path, dir string, size int64) error {
	if filepath.Dir(filepath.Clean(path)) != filepath.Clean(dir) {
		return outlay.Errorf(outlay.CodeInternal, "", "the parser wrote %s outside of its folder", filepath.Base(path))
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("looking at what was written: %w", err)
	}
	if size >= 0 && info.Size() != size {
		return outlay.Errorf(outlay.CodeInternal, "It is tried again by itself.", "%s has %d bytes, %d were written", filepath.Base(path), info.Size(), size)
	}
	return nil
}

// sameSums compares what was read with what was written, per currency and measure, to the last digit.
func sameSums(p outlay.Proof) error {
	if len(p.Read) != len(p.Written) {
		return outlay.Errorf(outlay.CodeInternal, "It is tried again by itself.", "%d currencies were read and %d written", len(p.Read), len(p.Written))
	}
	for currency, read := range p.Read {
		for _, m := range outlay.Measures() {
			a, errA := outlay.ParseAmount(read[m], currency)
			b, errB := outlay.ParseAmount(p.Written[currency][m], currency)
			if err := errors.Join(errA, errB); err != nil {
				return outlay.Errorf(outlay.CodeInternal, "", "the proof of %s in %s is not whole: %w", m, currency, err)
			}
			if a.Cmp(b) != 0 {
				return outlay.Errorf(outlay.CodeInternal, "It is tried again by itself.", "%s %s %s were read and %s written", m, currency, a, b)
			}
		}
	}
	return nil
}

// open tells whether the delivery's month was still growing when it was delivered. Clouds add to a month for days after
// its end.
func open(u outlay.Unit) bool {
	return u.Delivery.Version.Before(u.Period.End().Add(5 * 24 * time.Hour))
}

// changes are the notes on how a version differs from the one before.
func changes(old, now outlay.Proof, open bool) []string {
	var notes []string
	if old.SchemaHash != now.SchemaHash && old.SchemaHash != "" {
		notes = append(notes, "The delivered columns changed"+columnChanges(old, now)+".")
	}
	if a, b := currencies(old), currencies(now); !slices.Equal(a, b) && len(a) > 0 {
		notes = append(notes, fmt.Sprintf("The currencies changed from %s to %s.", strings.Join(a, ", "), strings.Join(b, ", ")))
	}
	for _, c := range currencies(now) {
		for _, m := range []outlay.Measure{outlay.Billed, outlay.Effective} {
			if n := moved(m, old.Written[c][m], now.Written[c][m], c, open); n != "" {
				notes = append(notes, n)
			}
		}
	}
	return notes
}

// moved is the note of check R7: a total that moved by more than a fifth. An open month is expected to grow.
func moved(m outlay.Measure, was, is, currency string, open bool) string {
	a, errA := outlay.ParseAmount(was, currency)
	b, errB := outlay.ParseAmount(is, currency)
	if errA != nil || errB != nil || a.IsZero() {
		return ""
	}
	delta := b.Sub(a)
	if open && delta.Sign() >= 0 || !aboveFifth(delta, a) {
		return ""
	}
	return fmt.Sprintf("%s moved by more than a fifth, from %s to %s %s.", m, a, b, currency)
}

// aboveFifth tells whether |delta| > |whole| ÷ 5, without dividing.
func aboveFifth(delta, whole outlay.Amount) bool {
	if delta.Sign() < 0 {
		delta = delta.Neg()
	}
	if whole.Sign() < 0 {
		whole = whole.Neg()
	}
	five := delta.Add(delta).Add(delta).Add(delta).Add(delta)
	return five.Cmp(whole) > 0
}

// negatives notes totals below zero.
func negatives(p outlay.Proof) []string {
	var notes []string
	for _, c := range currencies(p) {
		if a, err := outlay.ParseAmount(p.Written[c][outlay.Billed], c); err == nil && a.Sign() < 0 {
			notes = append(notes, fmt.Sprintf("The month's %s is below zero: %s %s.", outlay.Billed, a, c))
		}
	}
	return notes
}

// columnChanges names the columns that came and went, as far as the proofs tell.
func columnChanges(old, now outlay.Proof) string {
	came := append(less(now.Unknown, old.Unknown), less(old.MissingColumns, now.MissingColumns)...)
	went := append(less(old.Unknown, now.Unknown), less(now.MissingColumns, old.MissingColumns)...)
	text := ""
	if len(came) > 0 {
		text += "; new: " + strings.Join(came, ", ")
	}
	if len(went) > 0 {
		text += "; gone: " + strings.Join(went, ", ")
	}
	return text
}

func less(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(some, s) })
}

func currencies(p outlay.Proof) []string {
	var out []string
	for c := range p.Written {
		out = append(out, c)
	}
	slices.Sort(out)
	return out
}
