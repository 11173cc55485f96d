package main

import (
	"bufio"
	"fmt"
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
		&cobra.Command{Use: "check NAME", Short: "Look for billing data now", Args: cobra.ExactArgs(1), RunE: c.checkAccount},
		&cobra.Command{Use: "remove NAME", Short: "Forget one and its credential", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := c.client()
			if err != nil {
				return err
			}
			return cl.RemoveAccount(cmd.Context(), args[0])
		}},
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
		t.Add(a.Name, a.ProviderTitle, a.Identifier, string(a.Status.Status), setUp(a), amounts(a.MonthToDate), a.Status.Reason)
	}
	return c.show(t, all)
}

func setUp(a control.AccountView) string {
	switch {
	case a.SetUpHere:
		return "here"
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
	for k, v := range a.CredentialValues {
		t.Add(k, v)
	}
	t.Add("status", string(a.Status.Status)+": "+a.Status.Reason)
	t.Add("looked at", stamp(a.Status.At))
	t.Add("next look", stamp(a.Status.NextLook))
	for _, x := range a.Status.Axes {
		t.Add("  "+x.Name, string(x.State)+" "+x.Reason)
	}
	for _, r := range a.Resources {
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

func (c *cli) addAccount() *cobra.Command {
	var n client.NewAccount
	var provider string
	var secretNames []string
	cmd := &cobra.Command{
		Use:   "add NAME --provider PROVIDER --kind KIND --set FIELD=VALUE --secret FIELD",
		Short: "Add one; each --secret is read as a line of standard input",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			n.Name, n.Provider, n.Secrets = args[0], outlay.ProviderName(provider), map[string]string{}
			in := bufio.NewReader(c.in)
			for _, name := range secretNames {
				fmt.Fprintf(c.err, "%s: ", name)
				line, _ := in.ReadString('\n')
				n.Secrets[name] = strings.TrimRight(line, "\r\n")
			}
			cl, err := c.client()
			if err != nil {
				return err
			}
			a, err := cl.AddAccount(cmd.Context(), n)
			if err != nil {
				return err
			}
			t := outlay.Table{Columns: columns("account", "status", "field", "value")}
			for k, v := range a.CredentialValues {
				t.Add(a.Name, string(a.Status.Status), k, v)
			}
			if a.CredentialWarning != "" {
				fmt.Fprintln(c.err, "Warning: "+a.CredentialWarning)
			}
			return c.show(t, a)
		},
	}
	cmd.Flags().StringVar(&provider, "provider", "", "provider's short name")
	cmd.Flags().StringVar(&n.Kind, "kind", "", "way to sign in")
	cmd.Flags().StringToStringVar(&n.Values, "set", nil, "public field")
	cmd.Flags().StringSliceVar(&secretNames, "secret", nil, "secret field, read from standard input")
	return cmd
}
