package web

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

// assets is the static files, served under a path that names their content so that browsers may keep them for ever.
type assets struct {
	files fs.FS
	hash  string // of all of them together
	names map[string]bool
}

// loadAssets hashes the embedded static files. The files of vendor/ come from npm at build time and may be absent: the
// pages then work as with JavaScript off.
func loadAssets(root fs.FS) (assets, error) {
	sub, err := fs.Sub(root, "static")
	if err != nil {
		return assets{}, fmt.Errorf("reading the static files: %w", err)
	}
	a := assets{files: sub, names: map[string]bool{}}
	sum := sha256.New()
	err = fs.WalkDir(sub, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(sub, name)
		if err != nil {
			return err
		}
		a.names[name] = true
		fmt.Fprintf(sum, "%s %d\n", name, len(b))
		sum.Write(b)
		return nil
	})
	if err != nil {
		return assets{}, fmt.Errorf("reading the static files: %w", err)
	}
	a.hash = hex.EncodeToString(sum.Sum(nil))[:12]
	return a, nil
}

// url is the address of a static file; "" when this build does not have it.
func (a assets) url(name string) string {
	if !a.names[name] {
		return ""
	}
	return "/static/" + a.hash + "/" + name
}

// serve answers GET /static/{hash}/{name...}. An outdated hash still gets the present file, but nobody may keep it.
func (a assets) serve(c *call) error {
	name := path.Clean(c.r.PathValue("name"))
	if !a.names[name] {
		return notFound()
	}
	b, err := fs.ReadFile(a.files, name)
	if err != nil {
		return fmt.Errorf("reading the static file %s: %w", name, err)
	}
	kind := mime.TypeByExtension(path.Ext(name))
	if strings.HasSuffix(name, ".woff2") {
		kind = "font/woff2"
	}
	h := c.w.Header()
	h.Set("Content-Type", kind)
	if c.r.PathValue("hash") == a.hash {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if c.r.Method != http.MethodHead {
		_, err = c.w.Write(b)
	}
	return err
}
