package duckdb

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"
)

const byteOrderMark = "\ufeff"

// inspectCSV reads the header and checks that the last line is whole: a file cut within a figure would otherwise read
// as a smaller figure (reliability.md §4.3).
func inspectCSV(in input, size int64) (input, error) {
	tail, err := tailOf(in.path, size, 1)
	if err != nil {
		return input{}, readFailure(in.name, err)
	}
	f, err := os.Open(in.path)
	if err != nil {
		return input{}, readFailure(in.name, err)
	}
	defer func() { _ = f.Close() }()
	start := make([]byte, 64<<10)
	n, err := io.ReadFull(f, start)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return input{}, readFailure(in.name, err)
	}
	start = start[:n]
	if bytes.IndexByte(start, 0) >= 0 {
		return input{}, invalid(in.name, acceptedInputs, "%s is neither text nor Parquet", in.name)
	}
	if len(start) > 0 && (start[0] == '\n' || start[0] == '\r') {
		return input{}, invalid(in.name+" line 1", "Begin the file with the column names.", "%s line 1 is empty", in.name)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return input{}, readFailure(in.name, err)
	}
	in.header, err = csvReader(f).Read()
	if err != nil {
		return input{}, invalid(in.name, acceptedInputs, "%s has no readable header: %s", in.name, err)
	}
	if err := checkHeader(in); err != nil {
		return input{}, err
	}
	if tail[0] != '\n' {
		return input{}, invalid(in.name, redeliver, "%s is cut short: its last line does not end", in.name)
	}
	in.rows, err = countRecords(f)
	if err != nil {
		return input{}, readFailure(in.name, err)
	}
	in.rows-- // the header
	return in, nil
}

// countRecords counts line ends outside quotes, empty lines left out: what the engine must find too. It reads bytes
// only, so that it shares no fault with the engine's reader.
func countRecords(f io.ReadSeeker) (rows int64, err error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	r := bufio.NewReaderSize(f, 4<<20)
	for quoted, empty := false, true; ; {
		line, err := r.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return 0, err
		}
		if bytes.Count(line, []byte{'"'})%2 == 1 {
			quoted = !quoted
		}
		empty = empty && len(bytes.TrimRight(line, "\r\n")) == 0
		if err == nil && !quoted {
			if !empty {
				rows++
			}
			empty = true
		}
	}
}

// checkHeader refuses names that could not be told apart: for the columns of FOCUS letter case tells nothing, while two tags
// of one provider may differ in it alone.
func checkHeader(in input) error {
	if len(in.header) > maxColumns {
		return invalid(in.name, "", "%s has %d columns; at most %d are read", in.name, len(in.header), maxColumns)
	}
	exact, seen := map[string]bool{}, map[string]bool{}
	for i, name := range in.header {
		if name == "" || !utf8.ValidString(name) || len(name) > 300 || strings.Contains(name, caseMark) {
			return invalid(in.name+" line 1", "Write the header in UTF-8, one name for each column.", "%s line 1: column %d has no proper name", in.name, i+1)
		}
		folded := strings.ToLower(name)
		if exact[name] || seen[folded] && isFocus(name) {
			return invalid(in.name+" line 1", "Give each column its own name.", "%s line 1: the column %s occurs twice", in.name, name)
		}
		exact[name], seen[folded] = true, true
	}
	return nil
}

// csvReader reads records as the engine does: commas, quotes doubled, a byte order mark skipped.
func csvReader(r io.Reader) *csv.Reader {
	buffered := bufio.NewReaderSize(r, 1<<20)
	if mark, err := buffered.Peek(len(byteOrderMark)); err == nil && string(mark) == byteOrderMark {
		_, _ = buffered.Discard(len(byteOrderMark))
	}
	reader := csv.NewReader(buffered)
	reader.ReuseRecord = true
	reader.FieldsPerRecord = -1
	return reader
}

// csvFault looks for the first record that does not fit the header. line is 0 when there is none.
func csvFault(in input) (line int, why string, err error) {
	f, err := os.Open(in.path)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = f.Close() }()
	r := csvReader(f)
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return 0, "", nil
		}
		if e, ok := errors.AsType[*csv.ParseError](err); ok {
			return e.StartLine, e.Err.Error(), nil
		}
		if err != nil {
			return 0, "", err
		}
		if len(record) != len(in.header) {
			line, _ := r.FieldPos(0)
			return line, countOf(len(record), "field") + " where the header has " + countOf(len(in.header), "column"), nil
		}
		if i := slices.IndexFunc(record, func(s string) bool { return !utf8.ValidString(s) }); i >= 0 {
			line, _ := r.FieldPos(i)
			return line, "column " + in.header[i] + " is not UTF-8", nil
		}
	}
}

// csvLine is the line of the first record whose column holds one of the values; 0 when there is none.
func csvLine(in input, column string, values ...string) (int, error) {
	index := slices.IndexFunc(in.header, func(h string) bool { return strings.EqualFold(h, column) })
	f, err := os.Open(in.path)
	if err != nil || index < 0 {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	r := csvReader(f)
	for first := true; ; first = false {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		if !first && index < len(record) && slices.Contains(values, record[index]) {
			line, _ := r.FieldPos(index)
			return line, nil
		}
	}
}
