package main

import (
	"context"
	"flag"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// -shots DIR keeps a picture of every page that the browser test stops at.
var shots = flag.String("shots", "", "folder for screenshots")

// TestMain makes the test binary the command as well: for scripts under the name outlay, and as the parser child that a
// server in a test starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "parse" {
		main()
		return
	}
	testscript.Main(m, map[string]func(){"outlay": main})
}

// output collects what a command prints while it runs.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// demo is a demo that runs in this process.
type demo struct {
	url, token, sim, google string
	data                    string
	out, log                *output
}

var demoLines = regexp.MustCompile(`OUTLAY_URL=(\S+) OUTLAY_TOKEN=(\S+)\nSimulated: AWS (\S+), Azure \S+, Google Cloud (\S+)\.`)

// startDemo runs `outlay demo` with a fast clock until the test ends.
func startDemo(t *testing.T) *demo {
	t.Helper()
	d := &demo{data: t.TempDir(), out: &output{}, log: &output{}}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, world{
			args: []string{"demo", "--data", d.data, "--deliver-every", "3s", "--look-every", "2s"}, in: strings.NewReader(""), out: d.out, err: d.log,
			env: func(name string) string { return map[string]string{"HOME": d.data, "OUTLAY_LOG_LEVEL": "info"}[name] },
		})
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	await(t, 60*time.Second, "the demo to start", func() bool { return demoLines.MatchString(d.out.String()) })
	found := demoLines.FindStringSubmatch(d.out.String())
	d.url, d.token, d.sim, d.google = found[1], found[2], found[3], found[4]
	return d
}

// await asks again and again whether something is so.
func await(t *testing.T, within time.Duration, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(within); time.Now().Before(end); <-tick.C {
		if so() {
			return
		}
	}
	t.Fatalf("waited %s in vain for %s", within, what)
}

// command runs one command line against the demo and returns what it printed and its exit status.
func (d *demo) command(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	out, errs := &output{}, &output{}
	code = run(t.Context(), world{args: args, in: strings.NewReader(""), out: out, err: errs, env: func(name string) string {
		return map[string]string{"OUTLAY_URL": d.url, "OUTLAY_TOKEN": d.token, "HOME": d.data}[name]
	}})
	return out.String(), errs.String(), code
}

func (d *demo) must(t *testing.T, args ...string) string {
	t.Helper()
	out, errs, code := d.command(t, args...)
	if code != 0 {
		t.Fatalf("outlay %s: exit %d\n%s%s\nlog: %s", strings.Join(args, " "), code, out, errs, d.log)
	}
	return out
}
