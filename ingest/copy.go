package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"outlay"
)

// importOwner begins the name of an import's staging folder. Its folder is left alone for importGrace.
const (
	importOwner = "import-"
	importGrace = 24 * time.Hour
)

// copyIn copies the files into dir while it sums them up, so that what is parsed is what was summed even if somebody
// writes to a file meanwhile. It sets the token: the same for the same content in any order and under any name, read in the same way.
func (g *Ingest) copyIn(ctx context.Context, m *importing, dir string) ([]string, error) {
	var declared int64
	for _, f := range m.Files {
		info, err := os.Stat(f.Path)
		if err != nil || !info.Mode().IsRegular() {
			return nil, outlay.Errorf(outlay.CodeInvalid, "Name a file that exists and that Outlay may read.", "%s is not a readable file", f.Name).InField(f.Name)
		}
		declared += info.Size()
	}
	if err := g.checkSpace(declared); err != nil {
		return nil, err
	}
	var copies, sums []string
	for i, f := range m.Files {
		sum, path, err := copyFile(ctx, f, filepath.Join(dir, strconv.Itoa(i)))
		if outOfSpace(err) {
			return nil, diskFull(err)
		}
		if err != nil {
			return nil, err
		}
		if slices.Contains(sums, sum) {
			return nil, outlay.Errorf(outlay.CodeInvalid, "Name each file once: its charges would count twice.", "%s has the content of another file of this import", f.Name).InField(f.Name)
		}
		copies, sums = append(copies, path), append(sums, sum)
	}
	slices.Sort(sums)
	if m.Format != "" { // the same content as something else is something else
		sums = append(sums, m.Format)
	}
	all := sha256.Sum256([]byte(strings.Join(sums, "\n")))
	m.token = hex.EncodeToString(all[:])
	return copies, nil
}

// copyFile copies one file into a folder of its own, under a name that errors can show and engines do not read as a
// pattern, and returns the SHA-256 of its content.
func copyFile(ctx context.Context, f ImportFile, dir string) (sum, path string, err error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", "", fmt.Errorf("copying %s: %w", f.Name, err)
	}
	in, err := os.Open(f.Path)
	if err != nil {
		return "", "", outlay.Errorf(outlay.CodeInvalid, "Name a file that Outlay may read.", "%s could not be opened: %w", f.Name, err).InField(f.Name)
	}
	defer func() { _ = in.Close() }()
	path = filepath.Join(dir, plainName(f.Name))
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", "", fmt.Errorf("copying %s: %w", f.Name, err)
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(out, h), reader{ctx, in})
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return "", "", fmt.Errorf("copying %s: %w", f.Name, err)
	}
	return hex.EncodeToString(h.Sum(nil)), path, nil
}

// plainName is the last part of a name with everything that is special somewhere replaced.
func plainName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`*?[]{}'"\:|<>`, r) {
			return '_'
		}
		return r
	}, filepath.Base(name))
	if name == "." || name == ".." || name == "/" {
		return "file"
	}
	return name
}

// reader stops when ctx ends.
type reader struct {
	ctx context.Context
	in  io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.in.Read(p)
}
