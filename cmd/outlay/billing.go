package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"outlay"
	"outlay/client"
	"outlay/control"
)

// specFlags are the fields of the provision form.
type specFlags struct {
	region string
	fields map[string]string
	tags   bool
}

func (f *specFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.region, "region", "", "where the billing infrastructure goes; default: the provider's first")
	cmd.Flags().StringToStringVar(&f.fields, "set", nil, "further field of the provider's form")
	cmd.Flags().BoolVar(&f.tags, "tags", true, "turn the nine cost allocation tags on")
}

func (f *specFlags) spec() outlay.Spec {
	s := outlay.Spec{Region: f.region, Fields: f.fields}
	if f.tags {
		s.Tags = outlay.TagKeys()
	}
	return s
}

func (c *cli) billing() *cobra.Command {
	cmd := &cobra.Command{Use: "billing", Short: "Provision and deprovision billing"}
	cmd.AddCommand(c.billingPlan(), c.billingProvision(), c.billingDeprovision(), c.deleteKept(), c.billingStatus(), c.billingWatch(), c.billingResume(), c.billingUndo(), c.billingBackfill(),
		c.billingExisting(), c.billingImport(), c.billingStopReading(), c.billingAbandon(), c.billingDrift(), c.billingRepair())
	return cmd
}

func (c *cli) billingPlan() *cobra.Command {
	var f specFlags
	cmd := &cobra.Command{
		Use: "plan ACCOUNT", Short: "What provisioning would change; changes nothing", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := c.client()
			if err != nil {
				return err
			}
			p, err := cl.Plan(cmd.Context(), args[0], f.spec())
			if err != nil {
				return err
			}
			return c.showPlan(p)
		},
	}
	f.add(cmd)
	return cmd
}

func (c *cli) showPlan(p control.PlanView) error {
	if err := c.show(changesTable(p.Changes), p); err != nil {
		return err
	}
	c.sayNotes(p)
	for _, need := range p.Permissions {
		if need.State == outlay.PermissionDenied {
			fmt.Fprintf(c.err, "missing: %s on %s (%s)\n", need.Action, need.Resource, need.For)
		}
	}
	if p.Policy != "" {
		fmt.Fprintf(c.err, "The smallest policy that grants it:\n%s\n", p.Policy)
	}
	if p.Blocked != "" {
		return outlay.Errorf(outlay.CodeConflict, "Nothing can be provisioned until that is settled.", "%s", p.Blocked)
	}
	return nil
}

// sayNotes prints what a plan warns of, such as a member account that sees its own costs only.
func (c *cli) sayNotes(p control.PlanView) {
	for _, n := range p.Notes {
		fmt.Fprintf(c.err, "%s: %s\n", n.Level, n.Text)
	}
}

func changesTable(changes []outlay.Change) outlay.Table {
	t := outlay.Table{Columns: columns("change", "what", "name", "detail")}
	sign := map[outlay.ChangeAction]string{outlay.ActionCreate: "+ create", outlay.ActionUpdate: "~ update", outlay.ActionDelete: "− delete", outlay.ActionAdopt: "= adopt", outlay.ActionManual: "! by hand", outlay.ActionKeep: "= keep"}
	for _, ch := range changes {
		detail := ch.Detail
		if ch.Hold != "" {
			detail = ch.Hold
		}
		if ch.Holds != "" {
			detail = strings.TrimSpace(detail + " (" + ch.Holds + ")")
		}
		t.Add(sign[ch.Action], ch.Title, ch.Name, detail)
	}
	return t
}

func (c *cli) billingProvision() *cobra.Command {
	var f specFlags
	var to followFlags
	var planOnly bool
	var hash, key string
	cmd := &cobra.Command{
		Use: "provision ACCOUNT", Short: "Provision billing and follow the run", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := c.client()
			if err != nil {
				return err
			}
			if planOnly || key == "" { // a repeated key asks for the run that it started, whatever the plan is by now
				p, err := cl.Plan(cmd.Context(), args[0], f.spec())
				if err != nil {
					return err
				}
				if planOnly || p.Blocked != "" {
					return c.showPlan(p)
				}
				c.sayNotes(p)
				if hash == "" {
					hash = p.Hash
				}
			}
			run, err := cl.Provision(cmd.Context(), args[0], f.spec(), hash, key)
			if err != nil {
				return err
			}
			return c.follow(cmd.Context(), run, to.wait, to.timeout)
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&planOnly, "plan", false, "only show what would change")
	to.add(cmd)
	cmd.Flags().StringVar(&hash, "plan-hash", "", "run only this plan")
	cmd.Flags().StringVar(&key, "idempotency-key", "", "the same key twice is the same run")
	return cmd
}

func (c *cli) billingDeprovision() *cobra.Command {
	var f confirmFlags
	var to followFlags
	var files string
	var history bool
	cmd := c.verb("deprovision ACCOUNT --cost-files keep|delete", "Remove the billing infrastructure", cobra.ExactArgs(1), func(cmd *cobra.Command, cl *client.Client, args []string) error {
		v, err := cl.PlanDeprovision(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		fmt.Fprintf(c.err, "%s\n%s\n", v.Heading, v.Text)
		changes := v.Delete
		if outlay.CostFiles(files) == outlay.KeepCostFiles {
			changes = v.Keep
		}
		if f.planOnly {
			return c.show(changesTable(changes), v)
		}
		if files != "keep" && files != "delete" {
			return usageError{"say what happens to the delivered cost files: --cost-files keep or --cost-files delete; neither is the default"}
		}
		if f.yes {
			f.confirm = v.Name
		}
		run, err := cl.Deprovision(cmd.Context(), args[0], outlay.CostFiles(files), history, f.confirm)
		if err != nil {
			return err
		}
		return c.follow(cmd.Context(), run, to.wait, to.timeout)
	})
	f.add(cmd, "the account's name")
	to.add(cmd)
	cmd.Flags().StringVar(&files, "cost-files", "", "keep or delete the delivered cost files; required")
	cmd.Flags().BoolVar(&history, "remove-history", false, "also remove loaded history")
	return cmd
}

// followFlags are whether and how long a command follows the run that it started.
type followFlags struct {
	wait    bool
	timeout time.Duration
}

func (f *followFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.wait, "wait", true, "follow the run to its end")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 10*time.Minute, "how long to follow it")
}

func (c *cli) billingStatus() *cobra.Command {
	return &cobra.Command{
		Use: "status [ACCOUNT]", Short: "Billing status of every account, or all about one", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return c.showAccount(cmd, args)
			}
			return c.listAccounts(cmd, args)
		},
	}
}

func (c *cli) billingWatch() *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use: "watch ACCOUNT|RUN", Short: "Follow the newest run of an account", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := c.client()
			if err != nil {
				return err
			}
			run := control.RunView{ID: args[0]}
			if runs, err := cl.Runs(cmd.Context(), args[0]); err == nil && len(runs) > 0 {
				run = runs[0]
			}
			return c.follow(cmd.Context(), run, true, timeout)
		},
	}
	cmd.Flags().DurationVar(&timeout, "timeout", 10*time.Minute, "how long to follow it")
	return cmd
}

func (c *cli) billingResume() *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use: "resume RUN", Short: "Try a waiting run again from the step where it stopped", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := c.client()
			if err != nil {
				return err
			}
			run, err := cl.Resume(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return c.follow(cmd.Context(), run, true, timeout)
		},
	}
	cmd.Flags().DurationVar(&timeout, "timeout", 10*time.Minute, "how long to follow it")
	return cmd
}

func (c *cli) billingUndo() *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use: "undo RUN", Short: "Remove what a stopped run made, and nothing else", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := c.client()
			if err != nil {
				return err
			}
			run, err := cl.Undo(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return c.follow(cmd.Context(), run, true, timeout)
		},
	}
	cmd.Flags().DurationVar(&timeout, "timeout", 10*time.Minute, "how long to follow it")
	return cmd
}

func (c *cli) billingBackfill() *cobra.Command {
	var from string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use: "backfill ACCOUNT --from 2026-08", Short: "Ask the provider for today's tags in past months; applies to every tag key of the payer", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := c.client()
			if err != nil {
				return err
			}
			run, err := cl.Backfill(cmd.Context(), args[0], outlay.Period(from))
			if err != nil {
				return err
			}
			return c.follow(cmd.Context(), run, true, timeout)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "first month, 2026-08")
	cmd.Flags().DurationVar(&timeout, "timeout", 10*time.Minute, "how long to follow it")
	return cmd
}

// follow prints one line per finished step on standard error, and the run itself on standard output when it ends.
func (c *cli) follow(ctx context.Context, run control.RunView, wait bool, timeout time.Duration) error {
	if !wait {
		return c.showRun(run)
	}
	cl, err := c.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	said := map[int]outlay.StepState{}
	for v, err := range cl.Watch(ctx, run.ID) {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			break
		}
		if err != nil {
			return err
		}
		run = v
		for _, s := range v.Steps {
			if s.State != said[s.Seq] && s.State != outlay.StepPending && s.State != outlay.StepRunning {
				fmt.Fprintf(c.err, "%-8s %s %s\n", s.State, s.Title, s.Detail)
				said[s.Seq] = s.State
			}
		}
		if v.Status == outlay.OpWaiting && v.Problem != nil && !v.Problem.Code.Retryable() {
			break // only a person can help now
		}
	}
	for _, h := range run.ByHand {
		fmt.Fprintf(c.err, "only you can do: %s %s\n", h.Title, h.Detail)
	}
	return errors.Join(c.showRun(run), runEnd(run))
}

func (c *cli) showRun(run control.RunView) error {
	t := outlay.Table{Columns: columns("run", "what", "account", "status", "steps")}
	t.Add(run.ID, run.Title, run.AccountName, string(run.Status), fmt.Sprintf("%d of %d", run.Done, run.Total))
	return c.show(t, run)
}

// asked is what a run waits for a person to do, with every value to copy.
func asked(run control.RunView) string {
	m := run.Problem.Manual
	text := run.Problem.Message + "\n  " + m.Text
	if m.Who != "" {
		text += "\n  Who may do it: " + m.Who
	}
	if m.Link != "" {
		text += "\n  Where: " + m.Link
	}
	for _, v := range m.Values {
		text += fmt.Sprintf("\n  %s: %s", v.Title, v.Value)
	}
	if m.Seen != "" {
		text += "\n  " + m.Seen
	}
	if run.Reminder != "" {
		text += "\n  " + run.Reminder
	}
	return text + "\n  It is looked at every hour. To look now: outlay billing resume " + run.ID
}

func runEnd(run control.RunView) error {
	switch {
	case run.Status == outlay.OpDone:
		return nil
	case run.Problem != nil && run.Problem.Manual != nil:
		return runError{asked(run), exitRunFailed}
	case run.Problem != nil:
		text := "the run stopped: " + run.Problem.Message
		for _, n := range run.Problem.Needs {
			text += fmt.Sprintf("\n  missing: %s on %s", n.Action, n.Resource)
		}
		if run.Problem.Policy != "" {
			text += "\n" + run.Problem.Policy
		}
		if run.Problem.Fix != "" {
			text += "\n  " + run.Problem.Fix
		}
		return runError{text + "\n  Then: outlay billing resume " + run.ID, exitRunFailed}
	case run.Status.Active():
		return runError{"the run goes on; follow it with outlay billing watch " + run.ID, exitTimeout}
	}
	return runError{"the run ended as " + string(run.Status), exitRunFailed}
}
