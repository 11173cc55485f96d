package duckdb

import (
	"context"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"outlay"
)

// TestChild gives the same as parsing here, and tells its phases.
func TestChild(t *testing.T) {
	var log strings.Builder
	c := child()
	c.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	periods, err := c.Parse(context.Background(), job(t, file(t, "bill.csv", csvText(small()...))))
	if err != nil || len(periods) != 2 || periods[1].Proof.Read["USD"]["BilledCost"] != "27.5" {
		t.Fatalf("%+v, %v", periods, err)
	}
	for _, want := range []string{"phase=scan", "phase=lake", "phase=rollup", "peak_kib="} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s: %s", want, log.String())
		}
	}
}

// TestChildDies makes every way a child can end into a refusal that names the file.
func TestChildDies(t *testing.T) {
	cases := map[string]struct {
		command []string
		wall    time.Duration
		want    string
	}{
		"killed":   {[]string{"/bin/sh", "-c", "cat >/dev/null; kill -9 $$"}, 0, "bill.csv could not be read"},
		"crashed":  {[]string{"/bin/sh", "-c", "kill -SEGV $$"}, 0, "bill.csv could not be read"},
		"too slow": {[]string{"/bin/sh", "-c", "sleep 60"}, 50 * time.Millisecond, "bill.csv took too long to read"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := Child{Command: c.command, Wall: c.wall}.Parse(context.Background(), job(t, file(t, "bill.csv", csvText(small()...))))
			if e := outlay.AsError(err); e == nil || e.Code != outlay.CodeInvalid || e.Message != c.want || e.Field != "bill.csv" {
				t.Errorf("%+v", err)
			}
		})
	}
}

// TestChildTalksTooMuch keeps no more of a child's words than an answer can be.
func TestChildTalksTooMuch(t *testing.T) {
	c := Child{Command: []string{"/bin/sh", "-c", "cat >/dev/null; head -c 70000000 /dev/zero; head -c 2000000 /dev/zero >&2"}}
	_, err := c.Parse(context.Background(), job(t, file(t, "bill.csv", csvText(small()...))))
	if err == nil || !strings.Contains(err.Error(), "reading the parser's answer") {
		t.Errorf("%v", err)
	}
	b := bounded{left: 5}
	for _, part := range []string{"abc", "defg", "h"} {
		if n, err := io.Copy(&b, strings.NewReader(part)); n != int64(len(part)) || err != nil {
			t.Errorf("%q: %d, %v", part, n, err)
		}
	}
	if b.kept.String() != "abcde" {
		t.Errorf("kept %q", b.kept.String())
	}
}

// TestChildOutOfMemory lets a child run into its own limit: the server lives, the file is named.
func TestChildOutOfMemory(t *testing.T) {
	j := job(t, file(t, "bill.csv", csvText(small()...)))
	j.MemoryLimit = 1 << 20
	_, err := child().Parse(context.Background(), j)
	if e := outlay.AsError(err); e == nil || e.Code != outlay.CodeUnavailable || !strings.Contains(e.Message, "memory") {
		t.Errorf("%+v", err)
	}
}

// TestChildCancelled kills the child when nobody waits for it any more.
func TestChildCancelled(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := Child{Command: []string{"/bin/sh", "-c", "sleep 60"}}.Parse(ctx, job(t, file(t, "bill.csv", csvText(small()...))))
	if err == nil || time.Since(start) > 10*time.Second {
		t.Errorf("%v after %s", err, time.Since(start))
	}
}

// TestChildKnowsNothing starts the child without our environment.
func TestChildKnowsNothing(t *testing.T) {
	t.Setenv("OUTLAY_SECRET", "canary-7f3a")
	out := file(t, "env", "")
	j := job(t, file(t, "bill.csv", csvText(small()...)))
	_, err := Child{Command: []string{"/bin/sh", "-c", "cat >/dev/null; env > " + out + "; echo '[]'"}}.Parse(context.Background(), j)
	if err != nil {
		t.Fatal(err)
	}
	seen, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(seen), "canary-7f3a") || !strings.Contains(string(seen), "LANG=") {
		t.Errorf("environment: %s", seen)
	}
}

// TestShutIn keeps the parser's engine away from files that are not of the job.
func TestShutIn(t *testing.T) {
	secret := file(t, "secret.csv", "a\n1\n")
	j := job(t, file(t, "bill.csv", csvText(small()...)))
	j.Mapping.SQL = "SELECT * FROM raw, read_csv(" + text(secret) + ")"
	if _, err := child().Parse(context.Background(), j); err == nil {
		t.Error("the parser read a file that is not of the job")
	}
}
