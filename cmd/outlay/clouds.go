package main

import (
	"context"
	"fmt"
	"os"

	"outlay"
	"outlay/aws"
	"outlay/azure"
	"outlay/google"
)

// cloudConfig says where the clouds are and as whom this server signs in to them. Endpoints replace a cloud's own
// addresses, for tests and the demo.
type cloudConfig struct {
	aws    awsConfig
	azure  azureConfig
	google googleConfig
	// tokenDir is the only folder that token files of federated accounts are read from.
	tokenDir string
}

// awsConfig has the server's own AWS identity, used only to assume the roles of accounts.
type awsConfig struct{ endpoint, identity, keyID, secret, principal string }

type azureConfig struct {
	endpoint string
	ca       []byte // PEM of certificates to trust beside the system's
	managed  bool   // accounts may sign in as this server's managed identity
}

type googleConfig struct {
	endpoint, storage string // REST, and gRPC of the Storage Read API
	attached          bool   // accounts may sign in as the service account that is attached to this server
}

// cloudEnv reads the settings of clouds from the environment.
func (c *cli) cloudEnv() (cloudConfig, error) {
	cfg := cloudConfig{
		aws: awsConfig{
			endpoint: c.env("OUTLAY_AWS_ENDPOINT"), identity: c.env("OUTLAY_AWS_IDENTITY"), keyID: c.env("OUTLAY_AWS_ACCESS_KEY_ID"),
			secret: c.env("OUTLAY_AWS_SECRET_ACCESS_KEY"), principal: c.env("OUTLAY_AWS_PRINCIPAL"),
		},
		azure:    azureConfig{endpoint: c.env("OUTLAY_AZURE_ENDPOINT"), managed: c.env("OUTLAY_AZURE_MANAGED_IDENTITY") == "yes"},
		google:   googleConfig{endpoint: c.env("OUTLAY_GOOGLE_ENDPOINT"), storage: c.env("OUTLAY_GOOGLE_STORAGE_ENDPOINT"), attached: c.env("OUTLAY_GOOGLE_ATTACHED_IDENTITY") == "yes"},
		tokenDir: c.env("OUTLAY_TOKEN_DIR"),
	}
	if name := c.env("OUTLAY_AZURE_CA"); name != "" {
		pem, err := os.ReadFile(name)
		if err != nil {
			return cfg, outlay.Errorf(outlay.CodeInvalid, "Name a readable PEM file in OUTLAY_AZURE_CA.", "cannot read %s: %w", name, err)
		}
		cfg.azure.ca = pem
	}
	return cfg, nil
}

// providers makes every cloud's side. Names and ownership tags come from two values that are made once per
// installation and never change.
func (s *server) providers(ctx context.Context, cfg cloudConfig, clock outlay.Clock) (map[outlay.ProviderName]outlay.Provider, error) {
	naming, err := s.once(ctx, "naming-key")
	if err != nil {
		return nil, err
	}
	installation, err := s.once(ctx, "installation-id")
	if err != nil {
		return nil, err
	}
	key, id := []byte(naming), installation[:20]
	identity, err := aws.Identity(cfg.aws.identity, cfg.aws.keyID, outlay.NewSecret(cfg.aws.secret))
	if err != nil {
		return nil, err
	}
	out := map[outlay.ProviderName]outlay.Provider{}
	for _, p := range []outlay.Provider{
		aws.New(aws.Options{
			Secrets: s.box, Ambient: identity, Principal: cfg.aws.principal, Endpoint: cfg.aws.endpoint, Clock: clock, NamingKey: key, InstallationID: id,
		}),
		azure.New(azure.Options{
			Secrets: s.box, Endpoint: cfg.azure.endpoint, CA: cfg.azure.ca, ManagedIdentity: cfg.azure.managed, TokenDir: cfg.tokenDir, Clock: clock, NamingKey: key, InstallationID: id,
		}),
		google.New(google.Options{
			Secrets: s.box, Endpoint: cfg.google.endpoint, StorageEndpoint: cfg.google.storage, AttachedIdentity: cfg.google.attached, TokenDir: cfg.tokenDir, Clock: clock, NamingKey: key,
			InstallationID: id,
		}),
	} {
		if _, twice := out[p.Name()]; twice {
			return nil, fmt.Errorf("two providers are called %s", p.Name())
		}
		out[p.Name()] = p
	}
	return out, nil
}
