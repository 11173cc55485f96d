package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"outlay/secret"
)

func (c *cli) serve() *cobra.Command {
	cfg := &config{}
	cmd := &cobra.Command{
		Use: "serve", Short: "Run the server", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := c.fill(cfg); err != nil {
				return err
			}
			recent := &journal{}
			log := c.logger(cfg.logLevel, recent)
			cfg.recent = recent.about
			s, err := build(cmd.Context(), *cfg, log)
			if err != nil {
				return err
			}
			defer s.close()
			if code, needed, err := s.auth.SetupCode(cmd.Context()); err != nil {
				return err
			} else if needed {
				fmt.Fprintf(c.err, "No administrator yet. Open /setup and use the one-time code %s\n", code)
			}
			if s.box.Created() {
				fmt.Fprintf(c.err, "A new keyset was made. Back up %s apart from the database: without it no credential can be opened.\n", s.box.Path())
			}
			listener, err := net.Listen("tcp", cfg.listen)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.err, "Outlay %s listens on http://%s\n", version, listener.Addr())
			return s.run(cmd.Context(), listener)
		},
	}
	c.configFlags(cmd, cfg)
	return cmd
}

// logger writes JSON lines to standard error and to a journal, redacted.
func (c *cli) logger(level string, recent io.Writer) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		l = slog.LevelInfo
	}
	return slog.New(secret.NewLogHandler(slog.NewJSONHandler(io.MultiWriter(recent, c.err), &slog.HandlerOptions{Level: l})))
}

// run serves until ctx ends, then lets requests and steps finish.
func (s *server) run(ctx context.Context, listener net.Listener) error {
	work, stopWork := context.WithCancel(ctx)
	worked := make(chan error, 1)
	go func() { worked <- s.worker.Run(work) }()
	go s.refresher.run(work)
	web := &http.Server{Handler: s.handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, BaseContext: func(net.Listener) context.Context { return work }}
	served := make(chan error, 1)
	go func() { served <- web.Serve(listener) }()
	var err error
	select {
	case <-ctx.Done():
	case err = <-served:
	case err = <-worked:
	}
	stopWork()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if e := web.Shutdown(grace); e != nil {
		_ = web.Close()
	}
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
