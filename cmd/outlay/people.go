package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"outlay"
	"outlay/client"
	"outlay/control"
)

// verb wraps what a subcommand does with a signed-in client.
func (c *cli) verb(use, short string, args cobra.PositionalArgs, do func(cmd *cobra.Command, cl *client.Client, args []string) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: args, RunE: func(cmd *cobra.Command, args []string) error {
		cl, err := c.client()
		if err != nil {
			return err
		}
		return do(cmd, cl, args)
	}}
}

func (c *cli) users() *cobra.Command {
	var u client.NewUser
	var role, group string
	add := c.verb("add EMAIL --role ROLE", "Add a person; the first password is read from standard input", cobra.ExactArgs(1), func(cmd *cobra.Command, cl *client.Client, args []string) error {
		password, err := c.password()
		if err != nil {
			return err
		}
		u.Email, u.Password, u.Role, u.GroupID = args[0], password.Reveal(), outlay.Role(role), group
		v, err := cl.AddUser(cmd.Context(), u)
		if err != nil {
			return err
		}
		return c.showUsers([]control.UserView{v})
	})
	add.Flags().StringVar(&u.Name, "name", "", "name for people")
	add.Flags().StringVar(&u.Handle, "handle", "", "value of the tag User; default: the part of the e-mail before the @")
	set := c.verb("role EMAIL|ID --role ROLE", "Give a person one role instead of those he has", cobra.ExactArgs(1), func(cmd *cobra.Command, cl *client.Client, args []string) error {
		id, err := userID(cmd, cl, args[0])
		return errors.Join(err, unless(err, func() error { return cl.SetRole(cmd.Context(), id, outlay.Role(role), group) }))
	})
	for _, sub := range []*cobra.Command{add, set} {
		sub.Flags().StringVar(&role, "role", "", "org:admin, org:finance, group:lead, member or auditor")
		sub.Flags().StringVar(&group, "group", "", "group, for group:lead and member")
	}
	cmd := c.verb("users", "People and their roles", cobra.NoArgs, c.listUsers)
	cmd.AddCommand(c.verb("list", "List them", cobra.NoArgs, c.listUsers), add, set, c.disable("disable", "Stop a person from signing in", true), c.disable("enable", "Let a person sign in again", false))
	return cmd
}

func (c *cli) disable(name, short string, disabled bool) *cobra.Command {
	return c.verb(name+" EMAIL|ID", short, cobra.ExactArgs(1), func(cmd *cobra.Command, cl *client.Client, args []string) error {
		id, err := userID(cmd, cl, args[0])
		return errors.Join(err, unless(err, func() error { return cl.DisableUser(cmd.Context(), id, disabled) }))
	})
}

// unless does something only where nothing failed before.
func unless(err error, do func() error) error {
	if err != nil {
		return nil
	}
	return do()
}

// userID finds a person by e-mail; an id is taken as it is.
func userID(cmd *cobra.Command, cl *client.Client, who string) (string, error) {
	if !strings.Contains(who, "@") {
		return who, nil
	}
	all, err := cl.Users(cmd.Context())
	if err != nil {
		return "", err
	}
	for _, u := range all {
		if strings.EqualFold(u.Email, who) {
			return u.ID, nil
		}
	}
	return "", outlay.Errorf(outlay.CodeNotFound, "List the people with outlay users.", "there is nobody with the e-mail %s", who)
}

func (c *cli) listUsers(cmd *cobra.Command, cl *client.Client, _ []string) error {
	all, err := cl.Users(cmd.Context())
	if err != nil {
		return err
	}
	return c.showUsers(all)
}

func (c *cli) showUsers(all []control.UserView) error {
	t := outlay.Table{Columns: columns("email", "name", "handle", "roles", "state", "last login", "id")}
	for _, u := range all {
		var roles []string
		for _, r := range u.Roles {
			roles = append(roles, strings.TrimSuffix(string(r.Role)+" "+r.GroupID, " "))
		}
		state := "active"
		if u.Disabled {
			state = "disabled"
		}
		t.Add(u.Email, u.Name, u.Handle, strings.Join(roles, ", "), state, stamp(u.LastLogin), u.ID)
	}
	return c.show(t, all)
}

func (c *cli) groups() *cobra.Command {
	list := func(cmd *cobra.Command, cl *client.Client, _ []string) error {
		all, err := cl.Groups(cmd.Context())
		if err != nil {
			return err
		}
		t := outlay.Table{Columns: columns("group", "name")}
		for _, g := range all {
			t.Add(g.ID, g.Name)
		}
		return c.show(t, all)
	}
	cmd := c.verb("groups", "Groups: the values of the tag GroupID", cobra.NoArgs, list)
	cmd.AddCommand(c.verb("list", "List them", cobra.NoArgs, list), c.verb("add NAME", "Add one", cobra.ExactArgs(1), func(cmd *cobra.Command, cl *client.Client, args []string) error {
		_, err := cl.AddGroup(cmd.Context(), args[0])
		return err
	}))
	return cmd
}

func (c *cli) tokens() *cobra.Command {
	list := func(cmd *cobra.Command, cl *client.Client, _ []string) error {
		all, err := cl.Tokens(cmd.Context())
		if err != nil {
			return err
		}
		t := outlay.Table{Columns: columns("token", "name", "owner", "expires", "last used")}
		for _, x := range all {
			t.Add(x.ID, x.Name, x.Owner, stamp(x.ExpiresAt), stamp(x.LastUsed))
		}
		return c.show(t, all)
	}
	var actions []string
	var days int
	create := c.verb("create NAME", "Create one; its text is printed once", cobra.ExactArgs(1), func(cmd *cobra.Command, cl *client.Client, args []string) error {
		v, text, err := cl.CreateToken(cmd.Context(), args[0], actions, days)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.err, "Token %s, until %s. Keep it: it is not shown again.\n", v.ID, stamp(v.ExpiresAt))
		_, err = fmt.Fprintln(c.out, text.Reveal())
		return err
	})
	create.Flags().StringSliceVar(&actions, "action", nil, "what it may do, such as costs:read; default: everything that you may")
	create.Flags().IntVar(&days, "days", 90, "how long it lives")
	cmd := c.verb("tokens", "API tokens", cobra.NoArgs, list)
	cmd.AddCommand(c.verb("list", "List them", cobra.NoArgs, list), create, c.verb("revoke ID", "End one", cobra.ExactArgs(1), func(cmd *cobra.Command, cl *client.Client, args []string) error {
		return cl.RevokeToken(cmd.Context(), args[0])
	}))
	return cmd
}

func (c *cli) audit() *cobra.Command {
	var limit int
	cmd := c.verb("audit", "The audit log, newest first", cobra.NoArgs, func(cmd *cobra.Command, cl *client.Client, _ []string) error {
		all, err := cl.Audit(cmd.Context(), limit)
		if err != nil {
			return err
		}
		t := outlay.Table{Columns: columns("when", "who", "action", "object", "result", "detail")}
		for _, e := range all {
			t.Add(stamp(e.At), e.ActorName, e.Action, e.Object, e.Result, e.Detail)
		}
		return c.show(t, all)
	})
	cmd.Flags().IntVar(&limit, "limit", 100, "how many entries, at most 1000")
	return cmd
}

func (c *cli) removeHistory() *cobra.Command {
	var confirm string
	cmd := c.verb("remove SOURCE --confirm NAME", "Remove what was loaded of an import or of a removed set-up; cannot be undone here", cobra.ExactArgs(1), func(cmd *cobra.Command, cl *client.Client, args []string) error {
		return cl.RemoveHistory(cmd.Context(), args[0], confirm)
	})
	cmd.Flags().StringVar(&confirm, "confirm", "", "the source's name")
	return cmd
}

func (c *cli) health() *cobra.Command {
	cmd := c.verb("health", "Data health: what was delivered and loaded, source by source", cobra.NoArgs, func(cmd *cobra.Command, cl *client.Client, _ []string) error {
		all, err := cl.Sources(cmd.Context())
		if err != nil {
			return err
		}
		t := outlay.Table{Columns: columns("source", "period", "state", ">charges", "delivered", "loaded", "note")}
		for _, s := range all {
			for _, p := range s.Periods {
				t.Add(s.Name, string(p.Period), "published", fmt.Sprint(p.Rows), stamp(p.DeliveredAt), stamp(p.LoadedAt), strings.Join(p.Notes, " "))
			}
			for _, u := range s.Troubled {
				note := ""
				if u.Problem != nil {
					note = u.Problem.Message + " " + u.Problem.Fix
				}
				t.Add(s.Name, string(u.Period), string(u.State), "", stamp(u.Delivered), "", note)
			}
			if s.Reading != nil {
				t.Add(s.Name, string(s.Reading.Month), "reading", "", "", "", s.Reading.Text)
			}
			for _, o := range s.Overlaps {
				t.Add(s.Name, string(o.Period), "overlap", "", "", "", fmt.Sprintf("%s also comes from another source; %s counts", o.SubAccountID, o.Winner))
			}
		}
		return c.show(t, all)
	})
	cmd.AddCommand(c.removeHistory())
	return cmd
}
