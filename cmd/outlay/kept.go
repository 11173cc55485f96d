package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

func (c *cli) deleteKept() *cobra.Command {
	var confirm string
	var history, planOnly, yes, wait bool
	var timeout time.Duration
	cmd := &cobra.Command{
		Use: "delete-kept ACCOUNT|SOURCE", Short: "Delete the files that a deprovisioning kept, with what holds them", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := c.client()
			if err != nil {
				return err
			}
			v, err := cl.PlanDeleteKept(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			fmt.Fprintf(c.err, "%s\n%s\n", v.Heading, v.Text)
			if planOnly {
				return c.show(changesTable(v.Changes), v)
			}
			if yes {
				confirm = v.Name
			}
			run, err := cl.DeleteKept(cmd.Context(), args[0], history, confirm, v.Hash)
			if err != nil {
				return err
			}
			return c.follow(cmd.Context(), run, wait, timeout)
		},
	}
	cmd.Flags().BoolVar(&history, "remove-history", false, "also remove loaded history")
	cmd.Flags().StringVar(&confirm, "confirm", "", "the account's name")
	cmd.Flags().BoolVar(&yes, "yes", false, "confirm without typing the name")
	cmd.Flags().BoolVar(&planOnly, "plan", false, "only show what would be removed")
	cmd.Flags().BoolVar(&wait, "wait", true, "follow the run to its end")
	cmd.Flags().DurationVar(&timeout, "timeout", 10*time.Minute, "how long to follow it")
	return cmd
}
