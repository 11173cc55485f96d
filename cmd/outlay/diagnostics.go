package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"outlay"
	"outlay/client"
)

func (c *cli) diagnostics() *cobra.Command {
	var out string
	cmd := c.verb("diagnostics NAME", "Write what is known about one to a ZIP file, without secrets and without costs, for whoever helps", cobra.ExactArgs(1),
		func(cmd *cobra.Command, cl *client.Client, args []string) error {
			name, body, err := cl.Diagnostics(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if out == "" {
				out = name
			}
			f, err := os.OpenFile(out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
			if err != nil {
				return outlay.Errorf(outlay.CodeInvalid, "Name another file with --to.", "the archive could not be written: %w", err)
			}
			if _, err = f.Write(body); err != nil {
				_ = f.Close()
				return err
			}
			if err = f.Close(); err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.out, "%s: read it before you pass it on\n", out)
			return err
		})
	cmd.Flags().StringVar(&out, "to", "", "file to write; default: outlay-NAME-DATE.zip in this folder")
	return cmd
}
