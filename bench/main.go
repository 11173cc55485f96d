// Command bench measures loading and asking against goals that are ratios within one run on one machine
// (performance.md §9), so that a slow or busy machine does not change the verdict: B1, B2, B5, B6, B7, B8 and B13.
//
//	go run ./bench [-rows 10000000] [-runs 3] [-memory 2048] [-dir DIR] [-out FILE]
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"

	"outlay/duckdb"
)

// settings are what the flags say.
type settings struct {
	rows, runs int
	memory     int64 // of the parser's engine, in bytes
	dir, out   string
}

func main() {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "parse":
			exit(duckdb.ParseMain(os.Stdin, os.Stdout))
		case "rewrite":
			exit(rewriteMain(os.Args[2:]))
		}
	}
	var s settings
	var mib int64
	flag.IntVar(&s.rows, "rows", 10_000_000, "line items of the whole year")
	flag.IntVar(&s.runs, "runs", 3, "runs of what is compared, interleaved; the median counts")
	flag.Int64Var(&mib, "memory", 2048, "memory limit of the parser's engine, MiB")
	flag.StringVar(&s.dir, "dir", "", "folder to work in; a temporary one by default")
	flag.StringVar(&s.out, "out", "", "file to write the report to, besides the screen")
	flag.Parse()
	s.memory = mib << 20
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	exit(bench(ctx, s))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// bench runs everything in a folder of its own, which it removes.
func bench(ctx context.Context, s settings) error {
	dir, err := os.MkdirTemp(s.dir, "outlay-bench-")
	if err != nil {
		return fmt.Errorf("making a folder to work in: %w", err)
	}
	defer func() {
		if err := os.RemoveAll(dir); err != nil {
			slog.Error("removing the folder", slog.Any("err", err))
		}
	}()
	b := &run{settings: s, folder: dir, report: &report{}}
	for _, stage := range []func(context.Context) error{b.generate, b.compare, b.load, b.sizes, b.prove, b.ask} {
		if err := stage(ctx); err != nil {
			return err
		}
	}
	return b.report.write(s)
}
