package ingest_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"os"
	"path/filepath"

	"outlay"
	"outlay/duckdb"
)

// bucket is the made-up provider: what it delivers is files in a folder, and a delivery's Ref says which.
type bucket struct {
	outlay.Provider                       // the verbs of provisioning are not used here
	fail            func() error          // of the next Fetch; nil for none
	unnamed         []outlay.DeliveryFile // files that the delivery does not name
	billed          int64                 // bytes that the provider bills for each Fetch; 0 bills none
	gate            chan struct{}         // when not nil, Fetch waits for it to be closed
}

func (*bucket) About() outlay.ProviderInfo {
	return outlay.ProviderInfo{Name: nimbus, Title: "The Cloud of Nimbus", InCharges: "Nimbus"}
}

func (b *bucket) Deliveries(context.Context, *outlay.CloudAccount, *outlay.Source) iter.Seq2[outlay.Delivery, error] {
	return func(func(outlay.Delivery, error) bool) {}
}

func (b *bucket) Mapping(format string) (outlay.Mapping, error) {
	if format != "focus" {
		return outlay.Mapping{}, outlay.Errorf(outlay.CodeInvalid, "", "unknown format %q", format)
	}
	return duckdb.FocusMapping(), nil
}

// Fetch copies and verifies, as a real provider does.
func (b *bucket) Fetch(ctx context.Context, _ *outlay.CloudAccount, _ *outlay.Source, d outlay.Delivery, dir string) ([]string, error) {
	if b.gate != nil {
		select {
		case <-b.gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if b.billed > 0 {
		outlay.CountBilled(ctx, b.billed)
	}
	if b.fail != nil {
		if err := b.fail(); err != nil {
			return nil, err
		}
	}
	var out []string
	for i, f := range append(d.Files, b.unnamed...) {
		content, err := os.ReadFile(filepath.Join(d.Ref["folder"], f.Key))
		if err != nil {
			return nil, outlay.Errorf(outlay.CodeNotFound, "", "%s is not there yet", f.Key)
		}
		if etag(content) != f.ETag {
			return nil, outlay.Errorf(outlay.CodeConflict, "", "%s changed while it was read", f.Key)
		}
		path := filepath.Join(dir, fmt.Sprintf("%d.csv", i))
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return nil, err
		}
		out = append(out, path)
	}
	return out, nil
}

func etag(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:8])
}
