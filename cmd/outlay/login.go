package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"outlay"
	"outlay/client"
)

func (c *cli) login() *cobra.Command {
	var email string
	cmd := &cobra.Command{
		Use:   "login --email you@example.org",
		Short: "Sign in; the password is read from standard input, a token is kept",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if email == "" {
				return usageError{"say who: outlay login --email you@example.org"}
			}
			password, err := c.password()
			if err != nil {
				return err
			}
			url := c.server("")
			token, err := client.New(url, outlay.Secret{}).Login(cmd.Context(), email, password, "command line")
			if err != nil {
				return err
			}
			if err := c.keepContext(contextFile{URL: url, Token: token.Reveal()}); err != nil {
				return err
			}
			me, err := client.New(url, token).Me(cmd.Context())
			if err != nil {
				return err
			}
			fmt.Fprintf(c.err, "Signed in to %s as %s.\n", me.Organization, me.Name)
			return nil
		},
	}
	cmd.Flags().StringVar(&email, "email", "", "e-mail address")
	return cmd
}

// password reads OUTLAY_PASSWORD or one line of standard input; it is never a flag, which others could see.
func (c *cli) password() (outlay.Secret, error) {
	if p := c.env("OUTLAY_PASSWORD"); p != "" {
		return outlay.NewSecret(p), nil
	}
	if c.noInput {
		return outlay.Secret{}, usageError{"set OUTLAY_PASSWORD, or leave --no-input out"}
	}
	fmt.Fprint(c.err, "Password: ")
	line, err := bufio.NewReader(c.in).ReadString('\n')
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return outlay.Secret{}, outlay.Errorf(outlay.CodeInvalid, "Type it, or set OUTLAY_PASSWORD.", "there is no password: %w", err)
	}
	return outlay.NewSecret(line), nil
}

func (c *cli) keepContext(f contextFile) error {
	path := c.contextPath()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	b, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o600)
}
