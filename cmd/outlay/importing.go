package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"outlay"
	"outlay/client"
	"outlay/control"
)

func (c *cli) importing() *cobra.Command {
	var name, format string
	var formats bool
	cmd := &cobra.Command{
		Use:   "import FILE...",
		Short: "Load files that no provider delivered: FOCUS 1.0 to 1.4 or a provider's own bills (CSV, CSV.gz, Parquet)",
		Args: func(cmd *cobra.Command, args []string) error {
			if formats {
				return cobra.NoArgs(cmd, args)
			}
			return cobra.MinimumNArgs(1)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := c.client()
			if err != nil {
				return err
			}
			if formats {
				return c.importFormats(cmd.Context(), cl)
			}
			res, err := cl.Import(cmd.Context(), name, format, args)
			if err != nil {
				return err
			}
			if res.Already {
				fmt.Fprintf(c.err, "%s: already imported, nothing changed.\n", res.Name)
			}
			focus := res.Format == control.FormatFocus // other bills have columns of their own, and that is as it should be
			if focus && len(res.Unknown) > 0 {
				fmt.Fprintf(c.err, "Columns that FOCUS does not name, kept aside: %s\n", strings.Join(res.Unknown, ", "))
			}
			if focus && len(res.Missing) > 0 {
				fmt.Fprintf(c.err, "FOCUS columns that the files lack: %s\n", strings.Join(res.Missing, ", "))
			}
			for _, n := range res.Notes {
				fmt.Fprintln(c.err, n)
			}
			t := outlay.Table{Columns: columns("source", "period", ">charges", "currency", ">BilledCost", ">EffectiveCost", ">ListCost", ">ContractedCost")}
			for _, p := range res.Periods {
				for cur, sums := range p.Sums {
					t.Add(res.Name, string(p.Period), strconv.FormatInt(p.Rows, 10), cur, sums[outlay.Billed], sums[outlay.Effective], sums[outlay.List], sums[outlay.Contracted])
				}
			}
			return c.show(t, res)
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "of the source; default: the first file's name")
	cmd.Flags().StringVar(&format, "format", "", "what the files are, from --formats; default: found out by their columns")
	cmd.Flags().BoolVar(&formats, "formats", false, "list what can be imported, and by which columns it is known")
	return cmd
}

// importFormats lists what can be imported.
func (c *cli) importFormats(ctx context.Context, cl *client.Client) error {
	list, err := cl.ImportFormats(ctx)
	if err != nil {
		return err
	}
	t := outlay.Table{Columns: columns("format", "what", "known by the columns")}
	for _, f := range list {
		t.Add(f.ID, f.Title, strings.Join(f.Columns, ", "))
	}
	return c.show(t, list)
}
