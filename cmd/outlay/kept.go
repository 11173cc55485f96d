package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"outlay/client"
)

func (c *cli) deleteKept() *cobra.Command {
	var f confirmFlags
	var to followFlags
	var history bool
	cmd := c.verb("delete-kept ACCOUNT|SOURCE", "Delete the files that a deprovisioning kept, with what holds them", cobra.ExactArgs(1), func(cmd *cobra.Command, cl *client.Client, args []string) error {
		v, err := cl.PlanDeleteKept(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		fmt.Fprintf(c.err, "%s\n%s\n", v.Heading, v.Text)
		if f.planOnly {
			return c.show(changesTable(v.Changes), v)
		}
		if f.yes {
			f.confirm = v.Name
		}
		run, err := cl.DeleteKept(cmd.Context(), args[0], history, f.confirm, v.Hash)
		if err != nil {
			return err
		}
		return c.follow(cmd.Context(), run, to.wait, to.timeout)
	})
	f.add(cmd, "the account's name")
	to.add(cmd)
	cmd.Flags().BoolVar(&history, "remove-history", false, "also remove loaded history")
	return cmd
}
