package main

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"time"

	_ "github.com/duckdb/duckdb-go/v2" // the engine of the yardstick

	"outlay"
	"outlay/aws"
	"outlay/duckdb"
)

// spent is what a child process took.
type spent struct {
	wall, cpu time.Duration
	phases    map[string]time.Duration // CPU
	peak      int64                    // resident bytes
}

// lake is the CPU time until the sorted lake files stand: what B1 compares.
func (s spent) lake() time.Duration { return s.phases["scan"] + s.phases["lake"] }

// Handle and the other methods make spent the child's log: it keeps the figures.
func (s *spent) Handle(_ context.Context, r slog.Record) error {
	name := ""
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "phase":
			name = a.Value.String()
		case "cpu":
			if name == "" {
				s.cpu += a.Value.Duration()
			} else {
				s.phases[name] += a.Value.Duration()
			}
		case "peak_kib":
			s.peak = max(s.peak, a.Value.Int64()<<10)
		}
		return true
	})
	return nil
}

func (s *spent) Enabled(context.Context, slog.Level) bool { return true }
func (s *spent) WithAttrs([]slog.Attr) slog.Handler       { return s }
func (s *spent) WithGroup(string) slog.Handler            { return s }

// parse loads files the way the server does: the real child with the provider's real mapping.
func (b *run) parse(ctx context.Context, p outlay.Period, out string, files ...string) ([]outlay.ParsedPeriod, spent, error) {
	took := spent{phases: map[string]time.Duration{}}
	self, err := os.Executable()
	if err != nil {
		return nil, took, err
	}
	mapping, err := new(aws.Provider).Mapping("focus-1.2")
	if err != nil {
		return nil, took, err
	}
	if err := os.MkdirAll(out, 0o700); err != nil {
		return nil, took, err
	}
	start := time.Now()
	periods, err := duckdb.Child{Command: []string{self, "parse"}, Log: slog.New(&took)}.Parse(ctx, outlay.ParseJob{
		OrgID: "org_bench", SourceID: "src_bench", Files: files, Mapping: mapping, Period: p, OutDir: out, Generation: "gen_" + string(p), MemoryLimit: b.memory,
	})
	took.wall = time.Since(start)
	return periods, took, err
}

// rewrite is the yardstick: the engine reads a delivered file and writes it again as zstd Parquet, nothing else, in a
// child of the same kind with the same limits.
func (b *run) rewrite(ctx context.Context, from, to string) (spent, error) {
	self, err := os.Executable()
	if err != nil {
		return spent{}, err
	}
	cmd := exec.CommandContext(ctx, self, "rewrite", from, to, strconv.FormatInt(b.memory>>20, 10))
	cmd.Stderr = os.Stderr
	start := time.Now()
	peak, err := cmd.Output()
	if err != nil {
		return spent{}, fmt.Errorf("rewriting: %w", err)
	}
	took := spent{wall: time.Since(start), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	took.peak, err = strconv.ParseInt(string(peak), 10, 64)
	return took, err
}

func rewriteMain(args []string) error {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return err
	}
	for _, s := range []string{
		"SET memory_limit='" + args[2] + "MiB'", "SET preserve_insertion_order=false",
		fmt.Sprintf("COPY (SELECT * FROM read_parquet('%s')) TO '%s' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, ROW_GROUP_SIZE 122880)", args[0], args[1]),
	} {
		if _, err := db.Exec(s); err != nil {
			return err
		}
	}
	fmt.Print(duckdb.PeakMemory())
	return db.Close()
}
