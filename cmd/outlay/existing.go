package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"outlay"
	"outlay/client"
)

// importFlags are what a provider asks for before it can list existing exports.
type importFlags struct{ fields map[string]string }

func (f *importFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringToStringVar(&f.fields, "set", nil, "what the provider asks for before it can list, such as project=my-project")
}

func (c *cli) billingExisting() *cobra.Command {
	var f importFlags
	cmd := c.verb("existing ACCOUNT", "Exports that stand already and can be read", cobra.ExactArgs(1), func(cmd *cobra.Command, cl *client.Client, args []string) error {
		all, err := cl.Existing(cmd.Context(), args[0], f.fields)
		if err != nil {
			return err
		}
		t := outlay.Table{Columns: columns("id", "name", "what", "where", "state")}
		for _, e := range all {
			state := "can be imported"
			switch {
			case e.Source != nil:
				state = "is read already, by " + e.Source.Name
			case e.Why != "":
				state = e.Why
			}
			t.Add(e.ID, e.Name, e.Title, e.Detail, state)
		}
		return c.show(t, all)
	})
	f.add(cmd)
	return cmd
}

func (c *cli) billingImport() *cobra.Command {
	var f importFlags
	cmd := c.verb("import-export ACCOUNT ID", "Read an existing export; it is never changed, never destroyed", cobra.ExactArgs(2), func(cmd *cobra.Command, cl *client.Client, args []string) error {
		s, err := cl.ImportExport(cmd.Context(), args[0], args[1], f.fields)
		if err != nil {
			return err
		}
		fmt.Fprintln(c.err, "Looking for its data now. See outlay health.")
		t := outlay.Table{Columns: columns("source", "provider", "account", "origin")}
		t.Add(s.Name, s.Provider, s.AccountName, string(s.Origin))
		return c.show(t, s)
	})
	f.add(cmd)
	return cmd
}

// confirmFlags are how a person says that it is meant.
type confirmFlags struct {
	confirm       string
	yes, planOnly bool
}

func (f *confirmFlags) add(cmd *cobra.Command, what string) {
	cmd.Flags().StringVar(&f.confirm, "confirm", "", what)
	cmd.Flags().BoolVar(&f.yes, "yes", false, "confirm without typing the name")
	cmd.Flags().BoolVar(&f.planOnly, "plan", false, "only show what would happen")
}

func (c *cli) billingStopReading() *cobra.Command {
	var f confirmFlags
	var history bool
	cmd := c.verb("stop-reading SOURCE", "Stop reading an imported export; the export stays as it is", cobra.ExactArgs(1), func(cmd *cobra.Command, cl *client.Client, args []string) error {
		v, err := cl.PlanStopReading(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		fmt.Fprintf(c.err, "%s\n%s\n", v.Heading, v.Text)
		if f.planOnly {
			t := outlay.Table{Columns: columns("source", "account", ">months loaded")}
			t.Add(v.Name, v.AccountName, fmt.Sprint(v.Months))
			return c.show(t, v)
		}
		if f.yes {
			f.confirm = v.Name
		}
		return cl.StopReading(cmd.Context(), v.ID, f.confirm, history)
	})
	f.add(cmd, "the source's name")
	cmd.Flags().BoolVar(&history, "remove-history", false, "also remove loaded history")
	return cmd
}

func (c *cli) billingAbandon() *cobra.Command {
	var f confirmFlags
	cmd := c.verb("abandon ACCOUNT", "Give a set-up up and leave everything in the provider", cobra.ExactArgs(1), func(cmd *cobra.Command, cl *client.Client, args []string) error {
		v, err := cl.PlanAbandon(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		fmt.Fprintf(c.err, "%s\n%s\n", v.Heading, v.Text)
		if f.yes {
			f.confirm = v.Name
		}
		if !f.planOnly {
			if v, err = cl.Abandon(cmd.Context(), args[0], f.confirm); err != nil {
				return err
			}
		}
		t := outlay.Table{Columns: columns("stays behind", "name", "id")}
		for _, r := range v.Behind {
			t.Add(string(r.Kind), r.Name, r.ID)
		}
		return c.show(t, v)
	})
	f.add(cmd, "the account's name")
	return cmd
}

func (c *cli) billingDrift() *cobra.Command {
	return c.verb("drift ACCOUNT", "What is not as planned, setting by setting; changes nothing", cobra.ExactArgs(1), func(cmd *cobra.Command, cl *client.Client, args []string) error {
		v, err := cl.Drift(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		t := outlay.Table{Columns: columns("what", "name", "state", "setting", "is", "should be")}
		for _, l := range v.Lines {
			t.Add(l.Title, l.Name, l.State, "", "", l.Detail)
			for _, f := range l.Fields {
				t.Add("", "", "", f.Name, f.Is, f.Want)
			}
		}
		for _, n := range v.Notes {
			fmt.Fprintf(c.err, "%s: %s\n", n.Level, n.Text)
		}
		for _, part := range slices.Sorted(maps.Keys(v.Unread)) {
			fmt.Fprintf(c.err, "could not look at %s: %s\n", part, v.Unread[part])
		}
		switch {
		case len(v.Lines) == 0:
			fmt.Fprintln(c.err, "Everything is as planned.")
		case v.Why != "":
			fmt.Fprintln(c.err, v.Why)
		default:
			fmt.Fprintln(c.err, "To repair it: outlay billing repair "+args[0]+" --plan-hash "+v.Hash)
		}
		return c.show(t, v)
	})
}

func (c *cli) billingRepair() *cobra.Command {
	var hash string
	var to followFlags
	cmd := c.verb("repair ACCOUNT", "Make a set-up as it was planned again", cobra.ExactArgs(1), func(cmd *cobra.Command, cl *client.Client, args []string) error {
		run, err := cl.Repair(cmd.Context(), args[0], hash)
		if err != nil {
			return err
		}
		return c.follow(cmd.Context(), run, to.wait, to.timeout)
	})
	cmd.Flags().StringVar(&hash, "plan-hash", "", "run only this plan, as drift showed it")
	to.add(cmd)
	return cmd
}
