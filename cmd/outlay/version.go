package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (c *cli) version() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if c.output == "json" {
				return c.json(map[string]string{"version": version})
			}
			_, err := fmt.Fprintln(c.out, "outlay "+version)
			return err
		},
	}
}
