package secret

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"

	"outlay"
)

// fileStamp tells one state of a file from the next.
type fileStamp struct {
	modified time.Time
	size     int64
}

// samples are the SHA-256 sums of AES-256 keys that are printed in Tink's own documentation and tests and in
// examples that people copy from. Whoever uses one has published all secrets.
var samples = map[string]bool{
	"bf94f85641c835be41bd4250142406fcb2bfb521e74985c9a204c219144f4ec0": true, // Tink's walkthroughs, key 294406504
	"e0acfa2a97167a576b4a73ab71d0c7468b6f7a42966fbf0de1698166eda3d49d": true, // bytes 00 to 1f, key 1794775293
	"25c1e20b2f1766f2d29645f3172c0eb1fb831ab0150838c46a9f509a67c94eba": true, // a port's printed test keyset
	"4f30dadecb7828b92bd551fe773a1b862b9f8ce52e3e5035b1adbf0a61f1199b": true, // a collection of Tink samples
}

// ensure makes a keyset at path when there is no file, and tells whether it did. Two processes that start at once end
// up with one keyset.
func ensure(path string) (created bool, err error) {
	_, err = os.Lstat(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return false, wrap("looking for the keyset", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return false, wrap("making the keyset's folder", err)
	}
	h, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return false, fmt.Errorf("making a keyset: %w", err)
	}
	err = writeThen(path, h, func(temp string) error { return os.Link(temp, path) }) // Link does not replace
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	return err == nil, err
}

// save replaces the keyset's file in one step.
func save(path string, h *keyset.Handle) error {
	return writeThen(path, h, func(temp string) error { return os.Rename(temp, path) })
}

// writeThen writes h beside path, readable by the owner only, and puts it into place once it is on disk.
func writeThen(path string, h *keyset.Handle, place func(temp string) error) error {
	var buf bytes.Buffer
	if err := insecurecleartextkeyset.Write(h, keyset.NewJSONWriter(&buf)); err != nil {
		return fmt.Errorf("writing the keyset: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".keyset-*") // mode 0600
	if err != nil {
		return wrap("writing the keyset", err)
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already after a rename
	_, err = f.Write(buf.Bytes())
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return wrap("writing the keyset", err)
	}
	if err := place(f.Name()); err != nil {
		return wrap("writing the keyset", err)
	}
	return syncFolder(filepath.Dir(path))
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return wrap("writing the keyset", err)
	}
	return wrap("writing the keyset", errors.Join(d.Sync(), d.Close()))
}

func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// refresh reads the file again when it is not the one that was read. A file that vanished changes nothing: what is in
// memory still works.
func (b *Box) refresh() error {
	info, err := os.Lstat(b.path)
	if err != nil || (fileStamp{info.ModTime(), info.Size()}) == b.stamp {
		return nil
	}
	return b.reload()
}

func (b *Box) reload() error {
	info, err := os.Lstat(b.path)
	if err != nil {
		return wrap("reading the keyset", err)
	}
	if err := guarded(b.path, info); err != nil {
		return err
	}
	raw, err := os.ReadFile(b.path)
	if err != nil {
		return wrap("reading the keyset", err)
	}
	h, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(raw)))
	if err != nil {
		// The cause may quote the file, so it is left out.
		return outlay.Errorf(outlay.CodeInvalid, "Restore the keyset file from its backup.", "the keyset %s is damaged", b.path)
	}
	if err := strong(h); err != nil {
		return err
	}
	cipher, err := newCipher(h)
	if err != nil {
		return err
	}
	b.handle, b.cipher, b.stamp = h, cipher, fileStamp{info.ModTime(), info.Size()}
	return nil
}

// guarded refuses a keyset that anybody but its owner may read or write.
func guarded(path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return outlay.Errorf(outlay.CodeInvalid, "Name a plain file.", "the keyset %s is not a plain file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return outlay.Errorf(outlay.CodeInvalid, "Run: chmod 600 "+path, "others may read the keyset %s (its mode is %04o)", path, mode)
	}
	return nil
}

// strong refuses keys that are not AES-256-GCM, or that the world knows.
func strong(h *keyset.Handle) error {
	for _, k := range insecurecleartextkeyset.KeysetMaterial(h).GetKey() {
		data := k.GetKeyData()
		// The serialized key is its field 3 with 32 bytes: a tag, a length and the key.
		if !strings.HasSuffix(data.GetTypeUrl(), ".tink.AesGcmKey") || len(data.GetValue()) != 34 || k.GetOutputPrefixType() != tinkpb.OutputPrefixType_TINK {
			return outlay.Errorf(outlay.CodeInvalid, "Use a keyset that Outlay made.", "key %s of the keyset is not AES-256-GCM", keyName(k.GetKeyId()))
		}
		sum := sha256.Sum256(data.GetValue())
		if samples[hex.EncodeToString(sum[:])] {
			return outlay.Errorf(outlay.CodeInvalid, "Remove the file, so that Outlay makes a keyset of its own.", "key %s of the keyset is a published sample", keyName(k.GetKeyId()))
		}
	}
	return nil
}

// enabled lists the ids of h's enabled keys, the primary first.
func enabled(h *keyset.Handle) []string {
	info := h.KeysetInfo()
	out := []string{keyName(info.GetPrimaryKeyId())}
	for _, k := range info.GetKeyInfo() {
		if k.GetStatus() == tinkpb.KeyStatusType_ENABLED && k.GetKeyId() != info.GetPrimaryKeyId() {
			out = append(out, keyName(k.GetKeyId()))
		}
	}
	return out
}
