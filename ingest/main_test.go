package ingest_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"outlay/duckdb"
	"outlay/outlaytest"
)

// TestMain lets the test binary be two children as well: the parser, and a server that dies at a point.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "parse":
			exit(duckdb.ParseMain(os.Stdin, os.Stdout))
		case "serve":
			var job childJob
			if err := json.Unmarshal([]byte(os.Args[2]), &job); err != nil {
				exit(err)
			}
			exit(job.run())
		}
	}
	outlaytest.RunWithPostgres(m)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}
