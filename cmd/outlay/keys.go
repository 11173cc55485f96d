package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"outlay"
	"outlay/secret"
	"outlay/sqldb"
)

// keys works on the keyset file itself, so it runs on the server's machine and not through the API.
func (c *cli) keys() *cobra.Command {
	cfg := &config{}
	cmd := &cobra.Command{Use: "keys", Short: "The keyset that seals credentials (on the server's machine)"}
	rotate := &cobra.Command{
		Use: "rotate", Short: "Add a new key and seal every credential anew", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.rotate(cmd, cfg) },
	}
	status := &cobra.Command{
		Use: "status", Short: "Which keys there are and how many secrets each still seals", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.keyStatus(cmd, cfg) },
	}
	disable := &cobra.Command{
		Use: "disable KEY", Short: "Take a key out of use; refused while it seals anything", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			box, store, err := c.openKeys(cmd, cfg)
			if err != nil {
				return err
			}
			defer func() { _ = store.Close() }()
			return box.Disable(cmd.Context(), store, args[0])
		},
	}
	for _, sub := range []*cobra.Command{rotate, status, disable} {
		c.configFlags(sub, cfg)
		cmd.AddCommand(sub)
	}
	return cmd
}

func (c *cli) openKeys(cmd *cobra.Command, cfg *config) (*secret.Box, *sqldb.Store, error) {
	if err := c.fill(cfg); err != nil {
		return nil, nil, err
	}
	log := c.logger(cfg.logLevel, io.Discard)
	store, err := sqldb.Open(cmd.Context(), cfg.database, log)
	if err != nil {
		return nil, nil, err
	}
	keyset := filepath.Join(cfg.data, keysetFile)
	var box *secret.Box
	if err = secret.Lost(cmd.Context(), store.Install(), keyset); err == nil {
		box, err = secret.Open(keyset)
	}
	if err == nil {
		err = box.Check(cmd.Context(), store.Install())
	}
	if err != nil {
		_ = store.Close()
		return nil, nil, err
	}
	return box, store, nil
}

func (c *cli) rotate(cmd *cobra.Command, cfg *config) error {
	box, store, err := c.openKeys(cmd, cfg)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	if err := box.Rotate(); err != nil {
		return err
	}
	if _, err := box.ResealAll(cmd.Context(), store); err != nil {
		return err
	}
	fmt.Fprintf(c.err, "The new key is %s. Back up %s again.\n", box.KeyID(), box.Path())
	return c.showKeys(cmd, box, store)
}

func (c *cli) keyStatus(cmd *cobra.Command, cfg *config) error {
	box, store, err := c.openKeys(cmd, cfg)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	return c.showKeys(cmd, box, store)
}

func (c *cli) showKeys(cmd *cobra.Command, box *secret.Box, store outlay.Store) error {
	count, err := box.Count(cmd.Context(), store)
	if err != nil {
		return err
	}
	t := outlay.Table{Columns: columns("key", "use", ">secrets")}
	for _, id := range box.Keys() {
		use := "opens"
		if id == box.KeyID() {
			use = "seals and opens"
		}
		t.Add(id, use, strconv.Itoa(count[id]))
	}
	return c.show(t, count)
}
