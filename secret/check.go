package secret

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"outlay"
)

// Meta is where the key check is kept: outlay.Install.
type Meta interface {
	Meta(ctx context.Context, key string) (string, error)
	PutMeta(ctx context.Context, key, value string) error
}

const (
	checkKey   = "secret.check"
	checkWhere = "v1·key-check"
	checkText  = "this keyset belongs to this database"
)

// Lost is CodeInvalid when a database was filled with a keyset that is not at path any more. Ask before Open, which would
// make a new one there: that opens nothing, and would stand in the way of the backup.
func Lost(ctx context.Context, meta Meta, path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil // it is there, or Open says what is wrong with it
	}
	stored, err := meta.Meta(ctx, checkKey)
	if err != nil {
		return wrap("reading the key check", err)
	}
	if stored == "" {
		return nil
	}
	return outlay.Errorf(outlay.CodeInvalid, "Put its newest backup there. Without it, start with another data folder and add every account anew.", "the keyset %s is gone, and the credentials in the database cannot be opened without it", path)
}

// Check proves that the keyset is the one this database was filled with, by a value sealed at the first start. A wrong
// keyset is CodeInvalid at start, not a failed look in the night (reliability.md M18).
func (b *Box) Check(ctx context.Context, meta Meta) error {
	stored, err := meta.Meta(ctx, checkKey)
	if err != nil {
		return wrap("reading the key check", err)
	}
	if stored != "" {
		if plain, err := b.decrypt(outlay.Sealed(stored), checkWhere); err != nil || plain != checkText {
			return outlay.Errorf(outlay.CodeInvalid, "Put the newest backup of the keyset in its place.",
				"the keyset %s is not the one that this database was filled with", b.path)
		}
		if !b.Stale(outlay.Sealed(stored)) {
			return nil
		}
	}
	fresh, err := b.encrypt(checkText, checkWhere)
	if err != nil {
		return err
	}
	return wrap("writing the key check", meta.PutMeta(ctx, checkKey, string(fresh)))
}
