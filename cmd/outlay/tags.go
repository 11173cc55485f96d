package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"outlay"
	"outlay/control"
)

func (c *cli) tags() *cobra.Command {
	cmd := &cobra.Command{Use: "tags", Short: "The nine tags: where they stand, how to write them on a resource"}
	cmd.AddCommand(c.tagsList(), c.tagsActivate(), c.tagsPlan())
	return cmd
}

func (c *cli) tagsList() *cobra.Command {
	var rng string
	cmd := &cobra.Command{
		Use: "list", Short: "Where each key stands at each billing set-up, and what share of cost carries it", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := c.client()
			if err != nil {
				return err
			}
			v, err := cl.Tags(cmd.Context(), rng)
			if err != nil {
				return err
			}
			c.sayTags(v)
			return c.show(tagsTable(v), v)
		},
	}
	cmd.Flags().StringVar(&rng, "range", "mtd", "mtd or last-month: of which charges the shares are")
	return cmd
}

// tagsTable has one row per key and set-up; files and set-ups that are gone have no state.
func tagsTable(v control.TagsView) outlay.Table {
	t := outlay.Table{Columns: columns("key", "set-up", "provider", "state", "since", ">carried by", ">in total", ">values", "detail")}
	for _, k := range v.Keys {
		values := strconv.Itoa(k.Values)
		if k.More {
			values += "+"
		}
		for i, s := range v.Sources {
			cell, since := k.Cells[i], ""
			if !cell.Since.IsZero() {
				since = cell.Since.Format(time.DateOnly)
			}
			t.Add(k.Key, s.Name, s.ProviderTitle, control.TagStandingTitle(cell.State, s.ProviderTitle), since, shareText(cell.Share), shareText(k.Share), values, cell.Detail)
		}
		if len(v.Sources) == 0 {
			t.Add(k.Key, "", "", "", "", "", shareText(k.Share), values, "")
		}
	}
	return t
}

func shareText(share *float64) string {
	if share == nil {
		return ""
	}
	return strconv.FormatFloat(*share*100, 'f', 1, 64) + "%"
}

// sayTags tells what a table of states cannot: keys that only look like one of the nine, and double spellings.
func (c *cli) sayTags(v control.TagsView) {
	for _, n := range v.Near {
		fmt.Fprintf(c.err, "%s has the key %s: was %s meant?", n.SourceName, n.Key, n.Tag)
		if n.Rows > 0 {
			fmt.Fprintf(c.err, " Its %d charges of %s do not count for it.", n.Rows, n.Period)
		}
		fmt.Fprintln(c.err)
	}
	for _, x := range v.Clashes {
		met := ""
		if x.Rows > 0 {
			met = fmt.Sprintf(" On %d charges two spellings met.", x.Rows)
		}
		fmt.Fprintf(c.err, "%s spells %s as %s in %s; %s goes first.%s\n", x.SourceName, x.Tag, strings.Join(x.Keys, ", "), x.Period, x.Keys[0], met)
	}
}

func (c *cli) tagsActivate() *cobra.Command {
	var to followFlags
	var planOnly bool
	cmd := &cobra.Command{
		Use: "activate ACCOUNT [KEY…]", Short: "Turn keys on at an account's billing set-up, all nine without a KEY, and follow the run", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := c.client()
			if err != nil {
				return err
			}
			p, err := cl.PlanActivation(cmd.Context(), args[0], args[1:])
			if err != nil {
				return err
			}
			if planOnly || p.Blocked != "" {
				return c.showPlan(p)
			}
			c.sayNotes(p)
			run, err := cl.ActivateTags(cmd.Context(), args[0], args[1:], p.Hash)
			if err != nil {
				return err
			}
			return c.follow(cmd.Context(), run, to.wait, to.timeout)
		},
	}
	cmd.Flags().BoolVar(&planOnly, "plan", false, "only show what would change")
	to.add(cmd)
	return cmd
}

func (c *cli) tagsPlan() *cobra.Command {
	var provider string
	var more []string
	values := map[string]*string{}
	cmd := &cobra.Command{
		Use:   "plan --provider PROVIDER --user WHO --project WHAT …",
		Short: "A resource's tags as its provider accepts them, for launchers",
		Long: `A resource's tags as its provider accepts them. Outlay remembers what each label stands for, so that charges are
shown under the value that was meant. Launchers use a token with the actions tags:plan and tags:plan-all.

  outlay tags plan --provider NAME --user ada@example.org --project "Flood Maps"
  outlay tags plan --provider NAME --tag SessionID=01J9ZK4V --tag User=ada -o json
  eval "$(outlay tags plan --provider NAME --user ada@example.org -o env)"   # $user, or $User where keys keep their case`,
		Args: cobra.NoArgs,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			c.parsed = true
			if !slices.Contains([]string{"table", "json", "csv", "env"}, c.output) {
				return usageError{"-o is table, json, csv or env, not " + c.output}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			tags, err := tagFlags(values, more)
			if err != nil {
				return err
			}
			if provider == "" {
				return usageError{"say where the resource is: --provider NAME, as outlay accounts -o json names it"}
			}
			cl, err := c.client()
			if err != nil {
				return err
			}
			v, err := cl.PlanLabels(cmd.Context(), outlay.ProviderName(provider), tags)
			if err != nil {
				return err
			}
			return c.showLabels(v)
		},
	}
	cmd.Flags().StringVar(&provider, "provider", "", "where the resource is")
	cmd.Flags().StringArrayVar(&more, "tag", nil, "KEY=VALUE, KEY in any spelling")
	for _, key := range outlay.TagKeys() {
		values[key] = cmd.Flags().String(kebab(key), "", "value of "+key)
	}
	return cmd
}

// tagFlags joins the nine flags and --tag.
func tagFlags(values map[string]*string, more []string) (map[string]string, error) {
	tags := map[string]string{}
	for key, v := range values {
		if *v != "" {
			tags[key] = *v
		}
	}
	for _, pair := range more {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return nil, usageError{"--tag is KEY=VALUE, not " + pair}
		}
		if _, twice := tags[key]; twice {
			return nil, usageError{key + " is given twice"}
		}
		tags[key] = value
	}
	return tags, nil
}

func (c *cli) showLabels(v control.LabelsView) error {
	if c.output == "env" {
		for _, l := range v.Labels {
			fmt.Fprintf(c.out, "%s=%s\n", variable(l.Key), quoted(l.Value))
		}
		return nil
	}
	t := outlay.Table{Columns: columns("tag", "key", "value", "note")}
	for _, l := range v.Labels {
		t.Add(l.Tag, l.Key, l.Value, l.Note)
	}
	return c.show(t, v)
}

// kebab is a key as a flag: GroupID is group-id.
func kebab(key string) string {
	var b strings.Builder
	for i, r := range key {
		if unicode.IsUpper(r) && i > 0 && !unicode.IsUpper(rune(key[i-1])) {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// variable is a label's key as the name of a shell variable.
func variable(key string) string {
	return strings.Map(func(r rune) rune {
		if r < 128 && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return r
		}
		return '_'
	}, key)
}

// quoted is a value as a POSIX shell reads it back.
func quoted(value string) string { return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'" }
