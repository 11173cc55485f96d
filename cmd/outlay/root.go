package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"outlay"
	"outlay/client"
)

// cli is one invocation.
type cli struct {
	world
	output  string
	url     string
	noInput bool
	parsed  bool // the command line made sense; what fails now is the work
}

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "outlay",
		Short:         "Provision cloud billing, watch for the data, see the costs",
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			c.parsed = true
			if !slices.Contains([]string{"table", "json", "csv"}, c.output) {
				return usageError{"-o is table, json or csv, not " + c.output}
			}
			return nil
		},
	}
	root.PersistentFlags().StringVarP(&c.output, "output", "o", "table", "table, json or csv")
	root.PersistentFlags().StringVar(&c.url, "url", "", "server, such as http://127.0.0.1:8080 (OUTLAY_URL)")
	root.PersistentFlags().BoolVar(&c.noInput, "no-input", false, "never ask")
	root.AddCommand(c.serve(), c.demo(), c.login(), c.accounts(), c.billing(), c.costs(), c.tags(), c.importing(), c.health(), c.users(), c.groups(), c.tokens(), c.audit(), c.keys(), c.parse(), c.version())
	return root
}

// context is where the command line signs in to: a file that only its owner can read.
type contextFile struct {
	URL   string `json:"url"`
	Token string `json:"token"`
}

func (c *cli) contextPath() string {
	if p := c.env("OUTLAY_CONTEXT"); p != "" {
		return p
	}
	dir := c.env("XDG_CONFIG_HOME")
	if dir == "" {
		dir = filepath.Join(c.env("HOME"), ".config")
	}
	return filepath.Join(dir, "outlay", "context.json")
}

// client signs in: flag before environment before the file that `outlay login` wrote.
func (c *cli) client() (*client.Client, error) {
	var file contextFile
	if b, err := os.ReadFile(c.contextPath()); err == nil {
		if err := json.Unmarshal(b, &file); err != nil {
			return nil, outlay.Errorf(outlay.CodeInvalid, "Run outlay login again.", "%s cannot be read: %w", c.contextPath(), err)
		}
	}
	url := c.server(file.URL)
	token := c.env("OUTLAY_TOKEN")
	if token == "" {
		token = file.Token
	}
	if token == "" {
		return nil, outlay.Errorf(outlay.CodeUnauthenticated, "Run outlay login --email you@example.org, or set OUTLAY_TOKEN.", "you are not signed in")
	}
	return client.New(url, outlay.NewSecret(token)), nil
}

func (c *cli) server(fromFile string) string {
	for _, u := range []string{c.url, c.env("OUTLAY_URL"), fromFile} {
		if u != "" {
			return u
		}
	}
	return "http://127.0.0.1:8080"
}
