package main

import (
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
)

// config is what a server is started with: flag before OUTLAY_* before default.
type config struct {
	data      string // folder of the keyset, the lake, the caches and, on SQLite, the state
	database  string // sqlite:PATH or postgres://…
	listen    string
	publicURL string // what people type; https makes cookies Secure
	lookEvery time.Duration
	logLevel  string
	// clouds is where the clouds are, and as whom this server signs in to them.
	clouds         cloudConfig
	trustedProxies []string
	demo           *demoSetting
	recent         func(orgID string) []byte // what was logged of late; nil when nothing is kept
}

func (c *cli) configFlags(cmd *cobra.Command, cfg *config) {
	f := cmd.Flags()
	f.StringVar(&cfg.data, "data", c.orEnv("OUTLAY_DATA", "outlay-data"), "folder for keyset, lake and state (OUTLAY_DATA)")
	f.StringVar(&cfg.database, "database", c.env("OUTLAY_DATABASE"), "sqlite:PATH or postgres://… (OUTLAY_DATABASE); default: SQLite in the data folder")
	f.StringVar(&cfg.listen, "listen", c.orEnv("OUTLAY_LISTEN", "127.0.0.1:8080"), "address to listen on (OUTLAY_LISTEN)")
	f.StringVar(&cfg.publicURL, "public-url", c.env("OUTLAY_PUBLIC_URL"), "address that people type, such as https://outlay.example.org (OUTLAY_PUBLIC_URL)")
	f.DurationVar(&cfg.lookEvery, "look-every", c.durationEnv("OUTLAY_LOOK_EVERY", time.Hour), "how often every account is looked at (OUTLAY_LOOK_EVERY)")
	f.StringVar(&cfg.logLevel, "log-level", c.orEnv("OUTLAY_LOG_LEVEL", "info"), "debug, info, warn or error (OUTLAY_LOG_LEVEL)")
	f.StringSliceVar(&cfg.trustedProxies, "trusted-proxy", nil, "network whose X-Forwarded-For is believed, such as 10.0.0.0/8")
}

// fill completes what flags and environment left open.
func (c *cli) fill(cfg *config) error {
	data, err := filepath.Abs(cfg.data)
	if err != nil {
		return err
	}
	cfg.data = data
	if cfg.database == "" {
		cfg.database = "sqlite:" + filepath.Join(data, "outlay.db")
	}
	if cfg.demo == nil {
		if cfg.clouds, err = c.cloudEnv(); err != nil {
			return err
		}
	}
	return os.MkdirAll(data, 0o700)
}

func (c *cli) orEnv(name, otherwise string) string {
	if v := c.env(name); v != "" {
		return v
	}
	return otherwise
}

func (c *cli) durationEnv(name string, otherwise time.Duration) time.Duration {
	if d, err := time.ParseDuration(c.env(name)); err == nil && d > 0 {
		return d
	}
	return otherwise
}
