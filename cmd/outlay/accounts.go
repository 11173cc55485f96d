package main

import (
	"bufio"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"outlay"
	"outlay/client"
	"outlay/control"
)

func (c *cli) accounts() *cobra.Command {
	cmd := &cobra.Command{Use: "accounts", Short: "Cloud accounts", Args: cobra.NoArgs, RunE: c.listAccounts}
	cmd.AddCommand(
		&cobra.Command{Use: "list", Short: "List them with their billing status", Args: cobra.NoArgs, RunE: c.listAccounts},
		&cobra.Command{Use: "show NAME", Short: "Everything about one", Args: cobra.ExactArgs(1), RunE: c.showAccount},
		c.addAccount(),
		c.rotateAccount(),
		c.diagnostics(),
		&cobra.Command{Use: "check NAME", Short: "Look for billing data now", Args: cobra.ExactArgs(1), RunE: c.checkAccount},
		c.verb("remove NAME", "Forget one and its credential", cobra.ExactArgs(1), func(cmd *cobra.Command, cl *client.Client, args []string) error {
			found, err := cl.Account(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return cl.RemoveAccount(cmd.Context(), found.ID)
		}),
	)
	return cmd
}

func (c *cli) listAccounts(cmd *cobra.Command, _ []string) error {
	cl, err := c.client()
	if err != nil {
		return err
	}
	all, err := cl.Accounts(cmd.Context())
	if err != nil {
		return err
	}
	t := outlay.Table{Columns: columns("account", "provider", "identifier", "status", "set up", ">month to date", "reason")}
	for _, a := range all {
		t.Add(a.Name, a.ProviderTitle, a.Identifier, string(a.Status.Status), setUp(a), amounts(a.MonthToDate), reason(a.Status))
	}
	return c.show(t, all)
}

// reason is why the status is what it is, and why the newest look failed, if it did: a failed look changes no status.
func reason(s outlay.BillingStatus) string {
	if s.CouldNotCheckSince.IsZero() {
		return s.Reason
	}
	return s.Reason + " Could not look since " + stamp(s.CouldNotCheckSince) + ": " + s.CouldNotCheckWhy
}

func setUp(a control.AccountView) string {
	switch {
	case a.Created:
		return "here"
	case a.SetUpHere:
		return "reads an existing export"
	case a.FollowsName != "" && a.Status.Basis == outlay.CoveredByRule:
		return "follows " + a.FollowsName + ", by the rule"
	case a.FollowsName != "":
		return "follows " + a.FollowsName
	}
	return "no"
}

func amounts(all []outlay.Amount) string {
	if len(all) == 0 {
		return "no data yet"
	}
	var out []string
	for _, a := range all {
		out = append(out, control.Money(a))
	}
	return strings.Join(out, ", ")
}

func (c *cli) showAccount(cmd *cobra.Command, args []string) error {
	cl, err := c.client()
	if err != nil {
		return err
	}
	a, err := cl.Account(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	t := outlay.Table{Columns: columns("what", "value")}
	t.Add("account", a.Name)
	t.Add("provider", a.ProviderTitle)
	t.Add("identifier", a.Identifier)
	t.Add("signed in as", a.Principal)
	t.Add("credential", a.CredentialTitle)
	if a.CredentialWarning != "" {
		t.Add("warning", a.CredentialWarning)
	}
	for _, k := range slices.Sorted(maps.Keys(a.CredentialValues)) {
		t.Add(k, a.CredentialValues[k])
	}
	t.Add("status", string(a.Status.Status)+": "+reason(a.Status))
	t.Add("looked at", stamp(a.Status.At))
	t.Add("next look", stamp(a.Status.NextLook))
	for _, x := range a.Status.Axes {
		t.Add("  "+x.Name, string(x.State)+" "+x.Reason)
	}
	if a.Reading != nil {
		t.Add("reading", a.Reading.Text)
	}
	for _, i := range a.Imports {
		t.Add("reads the existing export", i.Name)
	}
	if a.ActiveRun != nil && a.ActiveRun.Problem != nil && a.ActiveRun.Problem.Manual != nil {
		t.Add("run "+a.ActiveRun.ID, asked(*a.ActiveRun))
	}
	for _, r := range append(a.Resources, a.Read...) {
		t.Add(string(r.Kind), r.Name+" "+string(r.State))
	}
	for _, r := range a.Tags {
		t.Add("tag "+r.Name, string(r.State)+" "+r.Detail)
	}
	return c.show(t, a)
}

func (c *cli) checkAccount(cmd *cobra.Command, args []string) error {
	cl, err := c.client()
	if err != nil {
		return err
	}
	if err := cl.Check(cmd.Context(), args[0]); err != nil {
		return err
	}
	fmt.Fprintln(c.err, "Looking now. See outlay billing status.")
	return nil
}

// credentialFlags are how an account signs in; secrets are read from standard input, one line each, never from flags.
type credentialFlags struct {
	n       client.NewAccount
	secrets []string
}

func (f *credentialFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.n.Kind, "kind", "", "way to sign in")
	cmd.Flags().StringToStringVar(&f.n.Values, "set", nil, "public field")
	cmd.Flags().StringSliceVar(&f.secrets, "secret", nil, "secret field, read from standard input")
}

func (c *cli) readSecrets(f *credentialFlags) {
	f.n.Secrets = map[string]string{}
	in := bufio.NewReader(c.in)
	for _, name := range f.secrets {
		fmt.Fprintf(c.err, "%s: ", name)
		line, _ := in.ReadString('\n')
		f.n.Secrets[name] = strings.TrimRight(line, "\r\n")
	}
}

func (c *cli) addAccount() *cobra.Command {
	var f credentialFlags
	var provider string
	cmd := c.verb("add NAME --provider PROVIDER --kind KIND --set FIELD=VALUE --secret FIELD", "Add one; each --secret is read as a line of standard input", cobra.ExactArgs(1),
		func(cmd *cobra.Command, cl *client.Client, args []string) error {
			f.n.Name, f.n.Provider = args[0], outlay.ProviderName(provider)
			c.readSecrets(&f)
			a, err := cl.AddAccount(cmd.Context(), f.n)
			if err != nil {
				return err
			}
			return c.showCredential(a)
		})
	f.add(cmd)
	cmd.Flags().StringVar(&provider, "provider", "", "provider's short name")
	return cmd
}

func (c *cli) rotateAccount() *cobra.Command {
	var f credentialFlags
	cmd := c.verb("rotate NAME --kind KIND --set FIELD=VALUE --secret FIELD", "Replace its credential", cobra.ExactArgs(1),
		func(cmd *cobra.Command, cl *client.Client, args []string) error {
			found, err := cl.Account(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			c.readSecrets(&f)
			a, err := cl.RotateCredential(cmd.Context(), found.ID, f.n)
			if err != nil {
				return err
			}
			return c.showCredential(a)
		})
	f.add(cmd)
	return cmd
}

// showCredential prints an account's public fields: an external id goes into the trust policy on the other side.
func (c *cli) showCredential(a control.AccountView) error {
	t := outlay.Table{Columns: columns("account", "status", "field", "value")}
	for _, k := range slices.Sorted(maps.Keys(a.CredentialValues)) {
		t.Add(a.Name, string(a.Status.Status), k, a.CredentialValues[k])
	}
	if a.CredentialWarning != "" {
		fmt.Fprintln(c.err, "Warning: "+a.CredentialWarning)
	}
	return c.show(t, a)
}
