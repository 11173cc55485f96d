package azure

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"outlay"
)

// What Fetch needs again of a delivery: its manifest or, of an export without manifests, its one file. Of a pair, the
// second manifest is that of the amortized costs.
const (
	refManifest  = "manifest"
	refETag      = "etag"
	refManifest2 = "manifest2"
	refETag2     = "etag2"
	refFirst     = "files of the first" // how many files are of the first manifest
)

// Deliveries lists each month's current delivery, oldest month first: one listing of each export's folder, and the
// manifests in it (clouds.md §3.5). Of a month's runs the one submitted last counts. A run that says that there was no
// data takes nothing back, and one of a few days is no version of its month. An error of one manifest comes after the months that can be told.
func (p *Provider) Deliveries(ctx context.Context, a *outlay.CloudAccount, s *outlay.Source) iter.Seq2[outlay.Delivery, error] {
	return func(yield func(outlay.Delivery, error) bool) {
		list, err := p.listDeliveries(ctx, a, s)
		for _, d := range list {
			if !yield(d, nil) {
				return
			}
		}
		if err != nil {
			yield(outlay.Delivery{}, err)
		}
	}
}

func (p *Provider) listDeliveries(ctx context.Context, a *outlay.CloudAccount, s *outlay.Source) ([]outlay.Delivery, error) {
	at, err := p.place(s)
	if err != nil {
		return nil, err
	}
	r, err := p.reader(ctx, a, at)
	if err != nil {
		return nil, err
	}
	var bad error
	months := make([]map[outlay.Period]outlay.Delivery, len(at.Exports))
	for i, e := range at.Exports {
		months[i], err = r.months(ctx, e)
		if err != nil && outlay.CodeOf(err) != outlay.CodeInvalid {
			return nil, err
		}
		if err != nil {
			bad = err
		}
	}
	current := months[0]
	if len(months) > 1 {
		current = pairs(months[0], months[1])
	}
	var out []outlay.Delivery
	for _, period := range slices.Sorted(maps.Keys(current)) {
		out = append(out, current[period])
	}
	return out, bad
}

// months are the current deliveries of one export. With an error of code invalid, what could be told is there too.
func (r reader) months(ctx context.Context, e exportPlace) (map[outlay.Period]outlay.Delivery, error) {
	var manifests []blobState
	f := found{blobs: map[string]blobState{}, bare: map[string]manifest{}, current: map[outlay.Period]outlay.Delivery{}}
	err := r.list(ctx, e.prefix(), 0, func(b blobState) {
		if f.blobs[b.name] = b; strings.HasSuffix(b.name, manifestName) {
			manifests = append(manifests, b)
		}
	})
	if err != nil {
		return nil, err
	}
	for _, b := range manifests {
		if err := f.add(r.delivery(ctx, e, b, f)); err != nil {
			return nil, err
		}
	}
	if e.Single || len(f.bare) > 0 {
		if err := r.addRuns(ctx, e, &f); err != nil {
			return nil, err
		}
	}
	return f.current, f.bad
}

// found is what lies in an export's folder, and what it delivers.
type found struct {
	blobs   map[string]blobState
	bare    map[string]manifest // manifests that do not say of what run they are, by their names
	current map[outlay.Period]outlay.Delivery
	bad     error // of code invalid: told after what could be told
}

// add takes a delivery in, if it counts and is newer than what there is of its month.
func (f *found) add(d outlay.Delivery, ok bool, err error) error {
	switch code := outlay.CodeOf(err); {
	case err == nil && !ok, code == outlay.CodeConflict: // nothing that counts, or replaced while we read
	case code == outlay.CodeInvalid:
		f.bad = err
	case err != nil:
		return err
	default:
		if old, had := f.current[d.Period]; !had || newer(d, old) {
			f.current[d.Period] = d
		}
	}
	return nil
}

// newer decides between two runs of a month: the one submitted last; of two submitted at once, always the same one.
func newer(a, b outlay.Delivery) bool {
	if !a.Version.Equal(b.Version) {
		return a.Version.After(b.Version)
	}
	return a.Ref[refManifest] > b.Ref[refManifest]
}

// delivery is what one manifest delivers; not ok when it is not this export's, of a few days only, or without data.
func (r reader) delivery(ctx context.Context, e exportPlace, b blobState, f found) (outlay.Delivery, bool, error) {
	m, err := r.manifest(ctx, b)
	if err == nil && m.isBare() {
		f.bare[b.name] = m
	}
	if err != nil || !m.isOf(e) || len(m.Blobs) == 0 || m.isPart() {
		return outlay.Delivery{}, false, inManifest(err, b.name)
	}
	d, err := m.delivery(r.at, e)
	if err != nil {
		return outlay.Delivery{}, false, inManifest(err, b.name)
	}
	return sealed(d, b, m.files(f.blobs)), true, nil
}

// sealed is a delivery with its files and what makes it whole: its manifest or, where there is none, its one file.
func sealed(d outlay.Delivery, by blobState, files []outlay.DeliveryFile) outlay.Delivery {
	d.Files, d.Token, d.Ref = files, token(by, files), map[string]string{refManifest: by.name, refETag: by.etag}
	return d
}

// manifest reads a manifest, once: it is immutable under its entity tag.
func (r reader) manifest(ctx context.Context, f blobState) (manifest, error) {
	key := strings.Join([]string{r.at.AccountURL, r.at.Container, f.name, f.etag}, "\x00")
	if m, known := r.seen.get(key); known && f.etag != "" {
		return m, nil
	}
	body, err := r.small(ctx, f)
	if err != nil {
		return manifest{}, err
	}
	m, err := parseManifest(body)
	if err == nil {
		r.seen.put(key, m)
	}
	return m, err
}

// mostManifests bounds what is remembered: a year of an export that runs daily into new folders has 365.
const mostManifests = 4096

// manifestCache remembers manifests that were read, for exports that keep those of every run.
type manifestCache struct {
	mu   sync.Mutex
	kept map[string]manifest
}

func (c *manifestCache) get(key string) (manifest, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m, ok := c.kept[key]
	return m, ok
}

func (c *manifestCache) put(key string, m manifest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil || len(c.kept) >= mostManifests {
		c.kept = map[string]manifest{}
	}
	c.kept[key] = m
}

// inManifest says which manifest is at fault.
func inManifest(err error, name string) error {
	if err == nil {
		return nil
	}
	e := *outlay.AsError(err)
	e.Message += " (" + clip(name, 200) + ")"
	return &e
}

// delivery is what a manifest says of its run, once it is found to be the export's.
func (m manifest) delivery(at place, e exportPlace) (outlay.Delivery, error) {
	if err := m.check(at, e); err != nil {
		return outlay.Delivery{}, err
	}
	period, err := m.period()
	if err != nil {
		return outlay.Delivery{}, err
	}
	submitted, err := m.submitted()
	if err != nil {
		return outlay.Delivery{}, err
	}
	format := formatOf(orElse(m.ExportConfig.Type, e.Dataset))
	if format == "" {
		return outlay.Delivery{}, badManifest("%q is not a kind of cost data that Outlay reads", clip(orElse(m.ExportConfig.Type, e.Dataset), 60))
	}
	return outlay.Delivery{Period: period, Version: submitted, ID: m.RunInfo.RunID, Format: format, Rows: m.rows()}, nil
}

// files are the manifest's files, with the state they were found in. A file that is not there (the run is being
// replaced, or still written) keeps the promised size: Fetch refuses it, and the token changes once it is there.
func (m manifest) files(blobs map[string]blobState) []outlay.DeliveryFile {
	var out []outlay.DeliveryFile
	for _, b := range m.Blobs {
		f := outlay.DeliveryFile{Key: b.BlobName, ETag: blobs[b.BlobName].etag, Size: blobs[b.BlobName].size}
		if b.ByteCount != nil && *b.ByteCount > 0 {
			f.Size = *b.ByteCount
		}
		out = append(out, f)
	}
	return out
}

// token changes with the manifest and with each of its files.
func token(f blobState, files []outlay.DeliveryFile) string {
	h := sha256.New()
	for _, file := range files {
		fmt.Fprintf(h, "%s\x00%s\x00%d\x00", file.Key, file.ETag, file.Size)
	}
	return f.name + "|" + f.etag + "|" + hex.EncodeToString(h.Sum(nil)[:12])
}

// pairs joins the deliveries of the export of actual costs with those of amortized costs: a month is there when both
// are (docs/decisions/0007).
func pairs(actual, amortized map[outlay.Period]outlay.Delivery) map[outlay.Period]outlay.Delivery {
	out := map[outlay.Period]outlay.Delivery{}
	for period, a := range actual {
		b, both := amortized[period]
		if !both || a.Format != formatActual || b.Format != formatAmortized {
			continue
		}
		d := outlay.Delivery{
			Period: period, Version: between(a.Version, b.Version), Token: a.Token + " " + b.Token, ID: a.ID + " " + b.ID, Format: formatPair,
			Files: append(slices.Clone(a.Files), b.Files...), Rows: -1,
			Ref: map[string]string{
				refManifest: a.Ref[refManifest], refETag: a.Ref[refETag], refManifest2: b.Ref[refManifest], refETag2: b.Ref[refETag], refFirst: fmt.Sprint(len(a.Files)),
			},
		}
		if a.Rows >= 0 && b.Rows >= 0 {
			d.Rows = a.Rows + b.Rows
		}
		out[period] = d
	}
	return out
}

// between is the instant in the middle of two. It grows when either does: the later of the two would stand still when the
// half that was submitted first arrives last, and the loader would take the pair for one that it has.
func between(a, b time.Time) time.Time { return a.Add(b.Sub(a) / 2) }
