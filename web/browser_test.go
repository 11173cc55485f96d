package web

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"outlay"
)

// -shots DIR keeps a picture of every page that the browser tests open.
var (
	shots  = flag.String("shots", "", "folder for screenshots")
	update = flag.Bool("update", false, "rewrite the golden files")
)

// newTab opens a tab of a fresh browser and fails the test on any console error: CSP reports are among them.
func newTab(t *testing.T) context.Context {
	t.Helper()
	const chromium = "/usr/bin/chromium"
	if _, err := os.Stat(chromium); err != nil {
		t.Fatal("chromium is missing: apt-get install -y --no-install-recommends chromium")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1440, 900),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	if err := chromedp.Do(ctx); err != nil { // the first Do starts the browser: no deadline on its context
		t.Fatal(err)
	}
	console := chromedp.Console(ctx)
	end := make(chan struct{})
	go func() {
		defer close(end)
		for m, err := range console {
			if err != nil || m.Text == "end of test" {
				return
			}
			if m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleException {
				t.Errorf("console: %v", m)
			}
		}
	}()
	tab := ctx
	t.Cleanup(func() { // everything before this line has then been read
		_, _ = chromedp.Run(tab, chromedp.Evaluate[chromedp.Void](`console.log("end of test")`))
		<-end
	})
	ctx, stop = context.WithTimeout(ctx, 150*time.Second)
	t.Cleanup(stop)
	return ctx
}

func do(ctx context.Context, t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

func eval[T any](ctx context.Context, t *testing.T, script string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, func(p *runtime.EvaluateParams) { p.AwaitPromise = new(true) }))
	if err != nil {
		t.Fatalf("%v in %s", err, script)
	}
	return v
}

// until asks the page again and again whether something is so; a page that is being left does not answer.
func until(ctx context.Context, t *testing.T, condition string) {
	t.Helper()
	ask := chromedp.Evaluate[bool](`new Promise(done => setTimeout(() => done(!!(`+condition+`)), 15))`, func(p *runtime.EvaluateParams) { p.AwaitPromise = new(true) })
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); {
		if ok, err := chromedp.Run(ctx, ask); err == nil && ok {
			return
		}
	}
	t.Fatalf("never came true: %s\n%s", condition, eval[string](ctx, t, `location.href + "\n" + document.body.innerText.slice(0, 2000)`))
}

// open loads an address and waits until the page's script has run.
func (h *house) open(ctx context.Context, path string) {
	h.t.Helper()
	do(ctx, h.t, chromedp.Navigate(h.server.URL+path))
	until(ctx, h.t, `document.readyState === "complete" && document.documentElement.dataset.js === ""`)
}

func (h *house) enter(ctx context.Context, role outlay.Role) {
	h.t.Helper()
	h.open(ctx, "/login")
	do(ctx, h.t, chromedp.SendKeys("#email", shortRole(role)+"@example.org"), chromedp.SendKeys("#password", password+"\r"))
	until(ctx, h.t, `location.pathname !== "/login" && document.readyState === "complete"`)
}

func axe(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatal("axe-core is missing: make assets")
	}
	return string(b)
}

const axeRun = `axe.run({runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(r => r.violations.map(v => v.id + ": " + v.help + " " + v.nodes.map(n => n.target + " " + (n.any[0]?.message ?? "")).join("; ")).join("\n"))`

// device sets the width of the window and the colour scheme that the system prefers.
func device(ctx context.Context, t *testing.T, look string, pixels int64) {
	t.Helper()
	do(ctx, t, chromedp.EmulateViewport(pixels, 900))
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look}}}); err != nil {
		t.Fatal(err)
	}
}

// shoot keeps a picture of the whole page, when asked for.
func shoot(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	if *shots == "" {
		return
	}
	b, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*shots, name+".png"), b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestPagesInBrowser opens every page in light, dark and on a phone: no console error, no CSP report, nothing that axe
// objects to, nothing wider than the screen.
func TestPagesInBrowser(t *testing.T) {
	h := newHouse(t, someCharges(fixedNow()))
	h.seed()
	ctx := newTab(t)
	source := axe(t)
	check := func(name, path, look string, pixels int64) {
		device(ctx, t, look, pixels)
		h.open(ctx, path)
		if strings.HasSuffix(path, "/provision") {
			until(ctx, t, `document.querySelector("#plan .planl, #plan .alert")`)
		}
		if pixels > 800 { // the phone has the same markup; axe takes a second
			if found := eval[string](ctx, t, source+";"+axeRun); found != "" {
				t.Errorf("%s, %s: %s", path, look, found)
			}
		}
		if over := eval[int](ctx, t, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
			t.Errorf("%s at %d px is %d px too wide: %s", path, pixels, over, eval[string](ctx, t, `[...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".tw, pre, .seg")).slice(0, 5).map(e => e.tagName + "." + e.className).join(" ")`))
		}
		shoot(ctx, t, fmt.Sprintf("%s-%s-%d", name, look, pixels))
	}
	check("login", "/login", "light", 1440)
	check("login", "/login", "dark", 320)
	h.enter(ctx, outlay.RoleAdmin)
	for _, p := range []struct{ name, path string }{
		{"costs", "/costs"}, {"costs-user", "/costs?range=30d&group=tag:User&every=week"}, {"costs-none", "/costs?f=service:Nothing"}, {"accounts", "/accounts"}, {"account", "/accounts/acc_main"}, {"account-new", "/accounts/new?provider=nimbus&kind=keys"},
		{"credential", "/accounts/acc_main/credential"}, {"provision", "/accounts/acc_two/billing/provision"}, {"deprovision", "/accounts/acc_main/billing/deprovision"}, {"run-stopped", "/runs/run_stopped"}, {"run-done", "/runs/run_done"},
		{"data-health", "/data-health"}, {"users", "/users"}, {"tokens", "/tokens"}, {"audit", "/audit"},
	} {
		check(p.name, p.path, "light", 1440)
		check(p.name, p.path, "dark", 1440)
		check(p.name, p.path, "light", 320)
	}
}
