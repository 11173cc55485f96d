package duckdb

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"outlay"
)

// TestMain lets the test binary be the parser's child: Child starts it with the argument 'parse'.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "parse" {
		if err := ParseMain(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	if len(os.Args) == 2 && os.Args[1] == "parse-loop" {
		if err := parseLoop(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child is the parser as the server uses it.
func child() Child { return Child{Command: []string{os.Args[0], "parse"}} }

// job is a parse job of generic FOCUS files.
func job(t *testing.T, files ...string) outlay.ParseJob {
	t.Helper()
	return outlay.ParseJob{OrgID: "org_1", SourceID: "src_1", Files: files, Mapping: FocusMapping(), OutDir: t.TempDir(), Generation: "gen_1", MemoryLimit: 512 << 20, Threads: 2}
}

// file writes content under a name and returns its path.
func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// parseHere runs a job in this process.
func parseHere(t *testing.T, j outlay.ParseJob) []outlay.ParsedPeriod {
	t.Helper()
	periods, err := parse(context.Background(), j, newPhases(io.Discard))
	if err != nil {
		t.Fatalf("parsing: %v (%+v)", err, err)
	}
	return periods
}
