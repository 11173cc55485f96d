package aws

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"strings"

	"outlay"
)

// Limits of a manifest (reliability.md M24, M27).
const (
	maxManifest = 16 << 20
	maxDepth    = 32
	maxKey      = 1024
)

// manifest is what we need of an export's manifest, which also holds executionId, exportArn and columns. Its schema is
// not published, so that whatever else stands in it, in whatever shape, is allowed (clouds.md §2.8).
type manifest struct {
	DataFiles []string `json:"dataFiles"` // whole s3:// addresses
}

// parseManifest reads a manifest. A key that comes twice, or in another letter case than ours, is refused: two
// readers would not agree on what such a manifest says (M27). So is one without a list of files, which is another thing
// than a list without files: unknown is not zero.
func parseManifest(b []byte) (manifest, error) {
	if err := checkManifest(b, "executionId", "exportArn", "columns", "dataFiles"); err != nil {
		return manifest{}, err
	}
	var m manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return manifest{}, badManifest("%v", err)
	}
	if m.DataFiles == nil {
		return manifest{}, badManifest("it does not say what was delivered (dataFiles)")
	}
	return m, nil
}

// checkManifest walks a whole manifest before anything of it is believed. ours are the keys whose spelling counts.
func checkManifest(b []byte, ours ...string) error {
	if len(b) > maxManifest {
		return badManifest("it is larger than 16 MiB")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := checkValue(d, 0, ours); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return badManifest("something follows its end")
	}
	return nil
}

func badManifest(format string, args ...any) error {
	return outlay.Errorf(outlay.CodeInvalid, "Nothing of this delivery was loaded. The next delivery replaces it; if that fails too, look at the manifest in the bucket.",
		"the manifest cannot be used: "+format, args...)
}

// checkValue walks one JSON value: no key twice, letter case aside, and no deeper than maxDepth. At the top it also
// requires an object with our keys spelled as AWS spells them; below, ours is nil.
func checkValue(d *json.Decoder, depth int, ours []string) error {
	if depth > maxDepth {
		return badManifest("it is nested more than %d deep", maxDepth)
	}
	token, err := d.Token()
	if err != nil {
		return badManifest("%v", err)
	}
	delim, _ := token.(json.Delim)
	if depth == 0 && delim != '{' {
		return badManifest("it is not an object")
	}
	seen := map[string]bool{}
	for (delim == '{' || delim == '[') && d.More() {
		if delim == '{' {
			if err := checkKey(d, seen, ours); err != nil {
				return err
			}
		}
		if err := checkValue(d, depth+1, nil); err != nil {
			return err
		}
	}
	if delim == '{' || delim == '[' {
		if _, err := d.Token(); err != nil { // the closing one
			return badManifest("%v", err)
		}
	}
	return nil
}

func checkKey(d *json.Decoder, seen map[string]bool, ours []string) error {
	token, err := d.Token()
	if err != nil {
		return badManifest("%v", err)
	}
	key, _ := token.(string)
	fold := strings.ToLower(key)
	if seen[fold] {
		return badManifest("the key %q comes twice", clip(key, 60))
	}
	seen[fold] = true
	for _, name := range ours {
		if strings.EqualFold(key, name) && key != name {
			return badManifest("the key %q should be %q", clip(key, 60), name)
		}
	}
	return nil
}

// dataKeys are the keys of the data files, checked against where our export writes: the bucket and the folder come
// from the ledger, never from the manifest (M23), the month from the manifest's own folder.
func (m manifest) dataKeys(at location, period outlay.Period) ([]string, error) {
	seen := map[string]bool{}
	var keys []string
	for _, address := range m.DataFiles {
		key, err := keyOf(address, at.Bucket)
		if err != nil {
			return nil, err
		}
		rest, ok := strings.CutPrefix(key, at.dataPrefix())
		folder, name, _ := strings.Cut(rest, "/")
		switch {
		case !ok:
			return nil, badManifest("%q is outside the export's folder", clip(key, 200))
		case periodOfFolder(folder) != period:
			return nil, badManifest("%q does not belong to %s", clip(key, 200), period)
		case name == "" || !strings.HasSuffix(name, at.ending()):
			return nil, badManifest("%q is not a file that ends in %s", clip(key, 200), at.ending())
		case seen[key]:
			return nil, badManifest("%q is listed twice", clip(key, 200))
		}
		seen[key] = true
		keys = append(keys, key)
	}
	return keys, nil
}

// keyOf is the key within our bucket that an s3:// address names (M23, M24). The key is taken as it is written: to
// decode it as an URL would read another object than the one that was named.
func keyOf(address, bucket string) (string, error) {
	rest, ok := strings.CutPrefix(address, "s3://")
	if !ok {
		return "", badManifest("%q is not an address in S3", clip(address, 200))
	}
	host, key, _ := strings.Cut(rest, "/")
	if host != bucket {
		return "", badManifest("it names the bucket %q, which is not the export's", clip(host, 80))
	}
	return key, checkKeyText(key)
}

// checkKeyText refuses keys that S3 cannot have, and such as would leave their folder.
func checkKeyText(key string) error {
	if key == "" || len(key) > maxKey || strings.ContainsRune(key, 0) {
		return badManifest("it names a key that S3 cannot have")
	}
	for part := range strings.SplitSeq(key, "/") {
		if part == ".." || part == "." || part == "" {
			return badManifest("it names %q, which leaves its folder", clip(key, 200))
		}
	}
	return nil
}

// partition is the folder of a month; AWS writes it in either letter case, and may change its mind within one export
// (clouds.md §2.8).
var partition = regexp.MustCompile(`^(?i:billing_period)=([0-9]{4}-[0-9]{2})$`)

// periodOfFolder is the month that a folder is for, or "".
func periodOfFolder(folder string) outlay.Period {
	m := partition.FindStringSubmatch(folder)
	if m == nil {
		return ""
	}
	p, err := outlay.ParsePeriod(m[1])
	if err != nil {
		return ""
	}
	return p
}
