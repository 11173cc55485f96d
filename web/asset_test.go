package web

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func loadedAssets(t *testing.T) assets {
	t.Helper()
	a, err := loadAssets(files)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestFrontEndFiles holds what npm brought against the reviewed sums (docs/third-party-web.md).
func TestFrontEndFiles(t *testing.T) {
	for path, want := range map[string]string{
		"static/vendor/htmx.min.js":           "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130",
		"static/vendor/hx-sse.min.js":         "18ef2761356ec1fe0bb6d92612315b37517a7c1e9856b661c5ae81fef239d103",
		"static/vendor/inter.woff2":           "3100e775e8616cd2611beecfa23a4263d7037586789b43f035236a2e6fbd4c62",
		"../node_modules/axe-core/axe.min.js": "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c",
	} {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Errorf("%s is missing: make assets", path)
			continue
		}
		if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != want {
			t.Errorf("%s has changed: SHA-256 %x", path, sum)
		}
	}
}

// TestWithoutFrontEndFiles renders a page of a build without npm: no script and no sheet that would not be found.
func TestWithoutFrontEndFiles(t *testing.T) {
	bare := fstest.MapFS{}
	for _, name := range []string{"static/app.css", "static/app.js", "static/font.css", "static/icon.svg"} {
		b, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		bare[name] = &fstest.MapFile{Data: b}
	}
	a, err := loadAssets(bare)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{Options: Options{Clock: fixedClock{}}, assets: a}
	if s.pages, err = s.parse(files); err != nil {
		t.Fatal(err)
	}
	b, err := s.render("login", "layout", page{Title: "Sign in", Body: loginBody{}})
	if err != nil {
		t.Fatal(err)
	}
	wants(t, string(b), "app.css", "app.js", "Sign in")
	lacks(t, string(b), "vendor", "font.css", "htmx.min", `src=""`)
	if whole := loadedAssets(t); whole.hash == a.hash {
		t.Error("two different builds share an address for their files")
	}
}

// TestLock keeps addresses out of the lock file: they would tie the build to one registry.
func TestLock(t *testing.T) {
	b, err := os.ReadFile("../package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if found := regexp.MustCompile(`https?://\S+`).FindString(string(b)); found != "" || strings.Contains(string(b), "resolved") {
		t.Errorf("package-lock.json holds an address: %s", found)
	}
}

// TestOwnFiles keeps our script and sheet within the rules of ui.md §6.4.
func TestOwnFiles(t *testing.T) {
	js, err := files.ReadFile("static/app.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "new Function", "setAttribute(\"style\""} {
		if strings.Contains(string(js), bad) {
			t.Errorf("app.js uses %s", bad)
		}
	}
	if len(js) > 15_000 {
		t.Errorf("app.js has %d bytes: past 15 KB it becomes TypeScript and a bundle (ui.md §0)", len(js))
	}
	css, err := files.ReadFile("static/app.css")
	if err != nil {
		t.Fatal(err)
	}
	tokens, rules, _ := strings.Cut(string(css), "[data-theme=\"light\"]")
	if !strings.Contains(tokens, "light-dark(") {
		t.Fatal("the tokens come first")
	}
	rules = regexp.MustCompile(`url\("data:[^"]+"\)|rgb\(0 0 0/0\.\d+\)`).ReplaceAllString(rules, "")
	if found := regexp.MustCompile(`#[0-9a-f]{3,8}\b|rgba?\(`).FindAllString(rules, -1); len(found) > 0 {
		t.Errorf("colours outside the tokens: %v", found)
	}
	for _, pair := range regexp.MustCompile(`var\((--[a-z0-9]+)`).FindAllStringSubmatch(rules, -1) {
		if !strings.Contains(tokens, pair[1]+":") && pair[1] != "--i" {
			t.Errorf("there is no token %s", pair[1])
		}
	}
}
