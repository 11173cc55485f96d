package azure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"outlay"
)

// Fetch reads a delivery's files into dir as 0.parquet, 1.csv.gz …; those of a pair as 0.actual.csv.gz,
// 1.amortized.csv.gz …, because their rows do not say which they are. Every read is pinned to the entity tag that the
// listing gave and must have the size that the manifest promised; each manifest is looked at again at the end.
// Whatever moved meanwhile is CodeConflict, and dir holds nothing that counts (clouds.md §3.5).
func (p *Provider) Fetch(ctx context.Context, a *outlay.CloudAccount, s *outlay.Source, d outlay.Delivery, dir string) ([]string, error) {
	at, err := p.place(s)
	if err != nil {
		return nil, err
	}
	r, err := p.reader(ctx, a, at)
	if err != nil {
		return nil, err
	}
	first, err := checkDelivery(at, d)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the staging folder: %w", err)
	}
	defer func() { _ = root.Close() }() // read only
	var paths []string
	for i, f := range d.Files {
		name := strconv.Itoa(i) + roleOf(d, i, first) + endingOf(f.Key) // our own name: never the manifest's (M24)
		if err := r.copy(ctx, f, root, name); err != nil {
			return nil, err
		}
		paths = append(paths, filepath.Join(dir, name))
	}
	if err := r.unmoved(ctx, d.Ref[refManifest], d.Ref[refETag]); err != nil {
		return nil, err
	}
	if d.Ref[refManifest2] == "" {
		return paths, nil
	}
	return paths, r.unmoved(ctx, d.Ref[refManifest2], d.Ref[refETag2])
}

// checkDelivery makes sure that a delivery lies where the source's exports deliver, and gives how many of its files
// are of the first export.
func checkDelivery(at place, d outlay.Delivery) (int, error) {
	bad := func(name string) (int, error) {
		return 0, outlay.Errorf(outlay.CodeInvalid, "Look for deliveries again.", "%q is not a delivery of this source", clip(name, 200))
	}
	first := len(d.Files)
	if len(at.Exports) > 1 {
		n, err := strconv.Atoi(d.Ref[refFirst])
		if err != nil || n < 1 || n >= len(d.Files) || !isSeal(at.Exports[1], d.Ref[refManifest2], d.Files[n:]) || d.Format != formatPair {
			return bad(d.Ref[refManifest2])
		}
		first = n
	}
	if len(d.Files) == 0 || !isSeal(at.Exports[0], d.Ref[refManifest], d.Files[:first]) {
		return bad(d.Ref[refManifest])
	}
	for i, f := range d.Files {
		e := at.Exports[0]
		if i >= first {
			e = at.Exports[1]
		}
		if checkBlobName(f.Key, e.prefix()) != nil {
			return bad(f.Key)
		}
	}
	return first, nil
}

// isSeal tells whether a name is that of a manifest of an export or, where it has none, of the one file.
func isSeal(e exportPlace, name string, files []outlay.DeliveryFile) bool {
	if len(files) == 1 && name == files[0].Key {
		return true // checked as a file
	}
	return strings.HasPrefix(name, e.prefix()) && strings.HasSuffix(name, manifestName) && !slices.Contains(strings.Split(name, "/"), "..")
}

// The parts of names that tell a pair's files apart; the mapping of the pair goes by them.
const (
	roleActual    = ".actual"
	roleAmortized = ".amortized"
)

func roleOf(d outlay.Delivery, i, first int) string {
	switch {
	case d.Format != formatPair:
		return ""
	case i < first:
		return roleActual
	}
	return roleAmortized
}

// copy reads one blob, counting what arrives.
func (r reader) copy(ctx context.Context, f outlay.DeliveryFile, root *os.Root, name string) error {
	c := r.call("reading " + f.Key)
	if f.ETag == "" {
		return &outlay.Error{Code: outlay.CodeConflict, Message: c.Doing + ": the file is not there yet, or not any more", Fix: "Nothing to do; it is read again when the delivery is whole."}
	}
	in, err := r.open(ctx, f.Key, f.ETag)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // read only
	if f.Size >= 0 && in.size >= 0 && in.size != f.Size {
		return wrongSize(c, in.size, f.Size)
	}
	local, err := root.Create(name)
	if err != nil {
		return fmt.Errorf("writing a staged file: %w", err)
	}
	defer func() { _ = local.Close() }() // closed and checked below; this is for the ways out before
	limit := max(f.Size, in.size)
	n, err := io.Copy(local, io.LimitReader(in, limit+1))
	if err != nil {
		return cutShort(err, c)
	}
	if n != limit {
		return wrongSize(c, n, limit)
	}
	if !in.whole() {
		return cutShort(nil, c)
	}
	if err := local.Close(); err != nil {
		return fmt.Errorf("writing a staged file: %w", err)
	}
	return nil
}

func wrongSize(c call, is, want int64) error {
	return &outlay.Error{Code: outlay.CodeConflict, Message: fmt.Sprintf("%s: %d bytes came, %d were promised", c.Doing, is, want), Fix: "Nothing to do; it is read again."}
}

// cutShort tells a full disk of ours from a cut connection; without a cause, what came is not what Azure has.
func cutShort(err error, c call) error {
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("writing a staged file: %w", err)
	}
	e := transportFailure(err, c)
	e.Message = c.Doing + ": the file was cut short or damaged on its way"
	return e
}

// unmoved looks at a manifest once more: the same one as at the beginning, or the run was replaced under the read.
func (r reader) unmoved(ctx context.Context, name, etag string) error {
	now, err := r.look(ctx, name)
	if err != nil {
		return err
	}
	if now.etag != etag {
		return &outlay.Error{Code: outlay.CodeConflict, Message: "looking at " + name + " again: Azure delivered anew meanwhile", Fix: "Nothing to do; the new delivery is read instead."}
	}
	return nil
}
