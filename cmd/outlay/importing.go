package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"outlay"
)

func (c *cli) importing() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "import FILE...",
		Short: "Load FOCUS files that no provider delivered (CSV, CSV.gz, Parquet; FOCUS 1.0 to 1.4)",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := c.client()
			if err != nil {
				return err
			}
			res, err := cl.Import(cmd.Context(), name, args)
			if err != nil {
				return err
			}
			if res.Already {
				fmt.Fprintf(c.err, "%s: already imported, nothing changed.\n", res.Name)
			}
			if len(res.Unknown) > 0 {
				fmt.Fprintf(c.err, "Columns that FOCUS does not name, kept aside: %s\n", strings.Join(res.Unknown, ", "))
			}
			if len(res.Missing) > 0 {
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
	return cmd
}
