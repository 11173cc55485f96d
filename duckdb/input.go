package duckdb

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/klauspost/compress/gzip"

	"outlay"
)

// Limits on what a file may claim (reliability.md M25).
const (
	maxColumns     = 2000
	maxInflated    = int64(200) << 30 // bytes of one file after inflating
	maxRatio       = 100              // inflated to packed, looked at once freeInflated has come out
	freeInflated   = int64(64) << 20
	parquetMagic   = "PAR1"
	redeliver      = "Look whether the file is damaged, and deliver it again."
	acceptedInputs = "Outlay reads FOCUS files as CSV, gzipped CSV or Parquet."
)

// input is one file of a job, as its content shows it to be.
type input struct {
	name    string // base name, for people
	path    string // what the engine reads: the file, or its inflated copy
	parquet bool
	header  []string // of CSV: the column names
	rows    int64    // of CSV: its records after the header
}

// inspect finds out what a file is. A gzipped file is inflated into dir as <n>.plain, which also proves it whole.
func inspect(path, dir string, n int) (input, error) {
	in := input{name: filepath.Base(path), path: path}
	head, size, err := headOf(path)
	if err != nil {
		return input{}, readFailure(in.name, err)
	}
	if bytes.HasPrefix(head, []byte{0x1f, 0x8b}) {
		in.path = filepath.Join(dir, fmt.Sprintf("%d.plain", n))
		if err := inflate(path, in.path, size); err != nil {
			return input{}, readFailure(in.name, err)
		}
		if head, size, err = headOf(in.path); err != nil {
			return input{}, readFailure(in.name, err)
		}
	}
	switch {
	case size == 0:
		return input{}, invalid(in.name, "Deliver the file again.", "%s is empty", in.name)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return input{}, invalid(in.name, "Unpack it first. "+acceptedInputs, "%s is a zip archive", in.name)
	case bytes.HasPrefix(head, []byte(parquetMagic)):
		in.parquet = true
		return in, checkParquetEnd(in, size)
	}
	return inspectCSV(in, size)
}

// headOf is a file's first bytes and its size.
func headOf(path string) ([]byte, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	head := make([]byte, 4)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, 0, err
	}
	return head[:n], info.Size(), nil
}

// tailOf is a file's last n bytes, or all of it.
func tailOf(path string, size, n int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	n = min(n, size)
	tail := make([]byte, n)
	_, err = f.ReadAt(tail, size-n)
	return tail, err
}

// checkParquetEnd refuses a Parquet file that was cut: its last four bytes are the magic again.
func checkParquetEnd(in input, size int64) error {
	tail, err := tailOf(in.path, size, 4)
	if err != nil {
		return readFailure(in.name, err)
	}
	if size < 12 || string(tail) != parquetMagic {
		return invalid(in.name, redeliver, "%s is cut short: a Parquet file ends with PAR1, this one does not", in.name)
	}
	return nil
}

// errBomb is what inflate returns for a file that grows beyond the limits.
var errBomb = errors.New("inflates to more than a cost file can be")

// inflate unpacks a gzip file, all its members, and checks its sums. It stops early at the limits.
func inflate(from, to string, packed int64) (err error) {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }()
	z, err := gzip.NewReader(bufio.NewReaderSize(src, 1<<20))
	if err != nil {
		return err
	}
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	buffer, total := make([]byte, 1<<20), int64(0)
	for {
		n, rerr := z.Read(buffer)
		total += int64(n)
		if total > maxInflated || total > freeInflated && total > maxRatio*packed {
			return errBomb
		}
		if _, werr := dst.Write(buffer[:n]); werr != nil {
			return werr
		}
		if errors.Is(rerr, io.EOF) {
			return nil
		}
		if rerr != nil {
			return rerr
		}
	}
}

// invalid is a refusal that names the file at fault.
func invalid(field, fix, format string, args ...any) error {
	return outlay.Errorf(outlay.CodeInvalid, fix, format, args...).InField(field)
}

// readFailure says why a file could not be read. A full disk is no fault of the file.
func readFailure(name string, err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return diskFull(err)
	}
	return invalid(name, redeliver, "%s could not be read: %s", name, plainCause(err))
}

// plainCause is err without the paths of this machine.
func plainCause(err error) string {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}

func diskFull(err error) error {
	return outlay.Errorf(outlay.CodeUnavailable, "Free some space; loading goes on by itself.", "the disk is full: %w", err)
}
