package outlaytest

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Tab is a tab of a fresh Chromium. Any console error fails the test; reports of the Content-Security-Policy are among
// them.
type Tab struct {
	t   *testing.T
	ctx context.Context
	// Shots is the folder that Shoot writes to; "" for none.
	Shots   string
	allowed *allowed
}

// allowed are console messages that a test provokes.
type allowed struct {
	mu    sync.Mutex
	texts []string
}

func (a *allowed) has(text string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.ContainsFunc(a.texts, func(x string) bool { return strings.Contains(text, x) })
}

// Allow says that console errors with this text are provoked: a browser reports every refused request there.
func (b *Tab) Allow(text string) {
	b.allowed.mu.Lock()
	defer b.allowed.mu.Unlock()
	b.allowed.texts = append(b.allowed.texts, text)
}

// NewTab starts a browser for a test and opens a tab that lives at most so long.
func NewTab(t *testing.T, life time.Duration) *Tab {
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
	provoked := &allowed{}
	watchConsole(t, ctx, provoked)
	ctx, stop = context.WithTimeout(ctx, life)
	t.Cleanup(stop)
	return &Tab{t: t, ctx: ctx, allowed: provoked}
}

func watchConsole(t *testing.T, tab context.Context, provoked *allowed) {
	console := chromedp.Console(tab)
	end := make(chan struct{})
	go func() {
		defer close(end)
		for m, err := range console {
			if err != nil || m.Text == "end of test" {
				return
			}
			if (m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleException) && !provoked.has(m.Text) {
				t.Errorf("console: %v", m)
			}
		}
	}()
	t.Cleanup(func() { // everything before this line has then been read
		_, _ = chromedp.Run(tab, chromedp.Evaluate[chromedp.Void](`console.log("end of test")`))
		<-end
	})
}

// In is the tab for a subtest, whose failures are then its own.
func (b *Tab) In(t *testing.T) *Tab {
	in := *b
	in.t = t
	return &in
}

// Do runs actions without a value.
func (b *Tab) Do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// Open loads an address and waits until the page's script has run.
func (b *Tab) Open(url string) {
	b.t.Helper()
	b.Do(chromedp.Navigate(url))
	b.Soon(`document.readyState === "complete" && document.documentElement.dataset.js === ""`)
}

// Visit loads an address that is not a page of ours.
func (b *Tab) Visit(url string) {
	b.t.Helper()
	b.Do(chromedp.Navigate(url))
	b.Soon(`document.readyState === "complete"`)
}

// WithoutScript turns JavaScript off for what is opened from here on. Open, Soon and Until need it: use Do.
func (b *Tab) WithoutScript() {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		b.t.Fatal(err)
	}
}

// Address is the URL that the tab shows, script or not.
func (b *Tab) Address() string {
	b.t.Helper()
	at, err := chromedp.Run(b.ctx, chromedp.Location())
	if err != nil {
		b.t.Fatal(err)
	}
	return at
}

// Click presses what a selector finds.
func (b *Tab) Click(selector string) {
	b.t.Helper()
	b.Do(chromedp.Click(selector))
}

// Type sends keys to what a selector finds.
func (b *Tab) Type(selector, keys string) {
	b.t.Helper()
	b.Do(chromedp.SendKeys(selector, keys))
}

// Press presses keys one after the other, at whatever has the focus.
func (b *Tab) Press(keys ...string) {
	b.t.Helper()
	for _, k := range keys {
		b.Do(chromedp.KeyEvent(k))
	}
}

// Choose picks an option as a person does: setting a value alone fires no event.
func (b *Tab) Choose(id, value string) {
	b.t.Helper()
	Eval[bool](b, `(() => { const e = document.getElementById("`+id+`"); e.focus(); e.value = "`+value+`"; e.dispatchEvent(new Event("change", {bubbles: true})); return true })()`)
}

// Eval is the value of a script, awaited.
func Eval[T any](b *Tab, script string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script, awaited))
	if err != nil {
		b.t.Fatalf("%v in %s", err, script)
	}
	return v
}

func awaited(p *runtime.EvaluateParams) { p.AwaitPromise = new(true) }

// Soon is Until for what the page has to do at once, however busy the machine.
func (b *Tab) Soon(condition string) {
	b.t.Helper()
	b.Until(condition, 15*time.Second)
}

// Until asks the page again and again whether something is so; a page that is being left does not answer.
func (b *Tab) Until(condition string, within time.Duration) {
	b.t.Helper()
	ask := chromedp.Evaluate[bool](`new Promise(done => setTimeout(() => done(!!(`+condition+`)), 25))`, awaited)
	for end := time.Now().Add(within); time.Now().Before(end); {
		if ok, err := chromedp.Run(b.ctx, ask); err == nil && ok {
			return
		}
	}
	b.t.Fatalf("never came true: %s\n%s", condition, Eval[string](b, `location.href + "\n" + document.body.innerText.slice(0, 3000)`))
}

// Device sets the width of the window and the colour scheme that the system prefers ("light", "dark").
func (b *Tab) Device(look string, pixels int64) {
	b.t.Helper()
	b.Do(chromedp.EmulateViewport(pixels, 900))
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look}}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
		b.t.Fatal(err)
	}
}

// Shoot keeps a picture of the whole page, in both themes, when there is a folder for it.
func (b *Tab) Shoot(name string) {
	b.t.Helper()
	if b.Shots == "" {
		return
	}
	for _, look := range []string{"dark", "light"} {
		b.Device(look, 1440)
		b.Picture(name + "-" + look)
	}
}

// Picture keeps a picture of the whole page as it is, when there is a folder for it.
func (b *Tab) Picture(name string) {
	b.t.Helper()
	if b.Shots == "" {
		return
	}
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.Shots, name+".png"), picture, 0o644); err != nil {
		b.t.Fatal(err)
	}
}
