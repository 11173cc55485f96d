package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"outlay"
	"outlay/aws"
	"outlay/control"
	simaws "outlay/simcloud/aws"
)

// demoSetting is what differs in the demo.
type demoSetting struct{ note string }

// What the demo is made of: a made-up organization with accounts in three simulated clouds.
const (
	demoOrganization = "Tidewater Research"
	demoPassword     = "calm-ledger-demo"
)

// demoPeople are one person for each role; all have the same password.
func demoPeople() []control.AddUserRequest {
	return []control.AddUserRequest{
		{Email: "maya@tidewater.example", Name: "Maya Okafor", Handle: "m.okafor", Role: outlay.RoleAdmin},
		{Email: "finn@tidewater.example", Name: "Finn Larsen", Handle: "f.larsen", Role: outlay.RoleFinance},
		{Email: "ada@tidewater.example", Name: "Ada Brandt", Handle: "a.brandt", Role: outlay.RoleMember},
		{Email: "otto@tidewater.example", Name: "Otto Reyes", Handle: "o.reyes", Role: outlay.RoleAuditor},
	}
}

func (c *cli) demo() *cobra.Command {
	var data, listen string
	var deliver, look time.Duration
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run the whole product against simulated clouds; prints a URL and a login",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			keep := data != ""
			if !keep {
				dir, err := os.MkdirTemp("", "outlay-demo-")
				if err != nil {
					return err
				}
				data = dir
				defer func() { _ = os.RemoveAll(dir) }()
			}
			return c.runDemo(cmd.Context(), data, listen, deliver, look)
		},
	}
	f := cmd.Flags()
	f.StringVar(&data, "data", "", "folder to keep the demo in; default: a new one that goes when the demo ends")
	f.StringVar(&listen, "listen", "127.0.0.1:0", "address to listen on")
	f.DurationVar(&deliver, "deliver-every", 20*time.Second, "how often the simulated clouds deliver (in truth once to three times a day)")
	f.DurationVar(&look, "look-every", 15*time.Second, "how often every account is looked at (in truth every hour)")
	return cmd
}

func (c *cli) runDemo(ctx context.Context, data, listen string, deliver, look time.Duration) error {
	recent := &journal{}
	log := c.logger(c.orEnv("OUTLAY_LOG_LEVEL", "warn"), recent)
	sim, err := startClouds(data, deliver)
	if err != nil {
		return err
	}
	defer sim.stop()
	cfg := config{data: filepath.Join(data, "outlay"), lookEvery: look, clouds: sim.config, recent: recent.about, demo: &demoSetting{note: sim.note(deliver, look)}}
	if err := c.fill(&cfg); err != nil {
		return err
	}
	s, err := build(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer s.close()
	token, err := s.seed(ctx, sim, log)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "\nOutlay demo: http://%s\n  e-mail    %s\n  password  %s\n", listener.Addr(), demoPeople()[0].Email, demoPassword)
	if !token.Empty() {
		fmt.Fprintf(c.out, "Command line: OUTLAY_URL=http://%s OUTLAY_TOKEN=%s\n", listener.Addr(), token.Reveal())
	}
	fmt.Fprintf(c.out, "Simulated: %s. End with Ctrl-C.\n\n", strings.Join(sim.where, ", "))
	return s.run(ctx, listener)
}

// seed makes organization, people and accounts at the first start; a kept demo has them already.
func (s *server) seed(ctx context.Context, sim *simulated, log *slog.Logger) (outlay.Secret, error) {
	code, needed, err := s.auth.SetupCode(ctx)
	if err != nil || !needed {
		return outlay.Secret{}, err
	}
	people := demoPeople()
	admin, err := s.auth.Setup(ctx, setupRequest(code, people[0]))
	if err != nil {
		return outlay.Secret{}, err
	}
	for _, p := range people[1:] {
		p.Password = outlay.NewSecret(demoPassword)
		if _, err := s.control.AddUser(ctx, admin, p); err != nil {
			return outlay.Secret{}, err
		}
	}
	for _, m := range demoAccounts() {
		if err := s.seedAccount(ctx, admin, sim.aws, m); err != nil {
			return outlay.Secret{}, err
		}
	}
	for _, r := range sim.others {
		if _, err := s.control.AddAccount(ctx, admin, r); err != nil {
			return outlay.Secret{}, err
		}
	}
	_, token, err := s.control.CreateToken(ctx, admin, control.CreateTokenRequest{Name: "demo command line", Days: 7})
	log.InfoContext(ctx, "the demo is seeded")
	return token, err
}

// seedAccount adds an AWS account as a person would: first here, then the role in AWS with the external id that we made.
func (s *server) seedAccount(ctx context.Context, admin outlay.Actor, sim *simaws.Cloud, m simaws.Member) error {
	arn := fmt.Sprintf("arn:aws:iam::%s:role/%s", m.ID, demoRole)
	a, err := s.control.AddAccount(ctx, admin, control.AddAccountRequest{Name: m.Name, Provider: aws.Name, Kind: "role", Values: map[string]string{"role_arn": arn}})
	if err != nil {
		return err
	}
	sim.AddRole(m.ID, demoRole, sim.UserARN(demoServer, "outlay"), a.CredentialValues["external_id"], "*")
	return nil
}
