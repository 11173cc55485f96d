package secret_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"outlay"
	"outlay/secret"
)

// metaMap keeps small values in memory.
type metaMap map[string]string

func (m metaMap) Meta(_ context.Context, key string) (string, error) { return m[key], nil }

func (m metaMap) PutMeta(_ context.Context, key, value string) error {
	m[key] = value
	return nil
}

// TestLost: a keyset that is gone is said to be gone, and no new one takes its place.
func TestLost(t *testing.T) {
	ctx, meta := t.Context(), metaMap{}
	path := filepath.Join(t.TempDir(), "keyset.json")
	if err := secret.Lost(ctx, meta, path); err != nil {
		t.Fatalf("a first start: %v", err)
	}
	box, err := secret.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := box.Check(ctx, meta); err != nil {
		t.Fatal(err)
	}
	if err := secret.Lost(ctx, meta, path); err != nil {
		t.Fatalf("the keyset is there: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := secret.Lost(ctx, meta, path); outlay.CodeOf(err) != outlay.CodeInvalid {
		t.Errorf("the keyset is gone: %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a new keyset stands in the way of the backup")
	}
}
