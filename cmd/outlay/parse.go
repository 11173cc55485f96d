package main

import (
	"github.com/spf13/cobra"

	"outlay/duckdb"
)

// parse is the child process that reads cost files: it gets a job on standard input and nothing else of the server's.
func (c *cli) parse() *cobra.Command {
	return &cobra.Command{
		Use: "parse", Short: "Read cost files (started by the server)", Hidden: true, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return duckdb.ParseMain(c.in, c.out) },
	}
}
