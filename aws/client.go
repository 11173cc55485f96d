package aws

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"time"

	"outlay"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/bcmdataexports"
	cur "github.com/aws/aws-sdk-go-v2/service/costandusagereportservice"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// session is a signed-in account: it makes the clients of the services.
type session struct {
	cfg       sdk.Config
	Partition string
}

// session signs in with the account's stored credential, and with nothing else: never with what the server's
// environment, its files or its machine would offer (reliability.md M10).
func (p *Provider) session(_ context.Context, a *outlay.CloudAccount) (session, error) {
	if a == nil {
		return session{}, outlay.Errorf(outlay.CodeInvalid, "", "no account was given")
	}
	partition := a.Identity.Extra[extraPartition]
	if partition == "" {
		partition = "aws"
	}
	if a.Credential.Kind == kindRole {
		role, err := parseRoleARN(a.Credential.Values[fieldRole])
		if err != nil {
			return session{}, fieldError(err, fieldRole)
		}
		partition = role.Partition
	}
	creds, err := p.credentials(a, partition)
	if err != nil {
		return session{}, err
	}
	return session{cfg: p.config(creds, serviceRegion(partition)), Partition: partition}, nil
}

func fieldError(err error, field string) error {
	return outlay.AsError(err).InField(field)
}

// config has nothing in it that was not given: no environment, no files.
func (p *Provider) config(creds sdk.CredentialsProvider, region string) sdk.Config {
	cfg := sdk.Config{Region: region, Credentials: creds, HTTPClient: p.http, AppID: "outlay"}
	cfg.Retryer = func() sdk.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.MaxBackoff = p.opts.Retry.Attempts, p.opts.Retry.MaxBackoff
		})
	}
	if p.opts.Endpoint != "" {
		cfg.BaseEndpoint = &p.opts.Endpoint
	}
	return cfg
}

// credentials are kept between calls, so that a role is not assumed anew for each; a rotated credential has another
// fingerprint and thereby its own.
func (p *Provider) credentials(a *outlay.CloudAccount, partition string) (sdk.CredentialsProvider, error) {
	mark := fingerprint(a)
	p.mu.Lock()
	kept, ok := p.creds[mark]
	p.mu.Unlock()
	if ok {
		return kept, nil
	}
	creds, err := p.build(a, partition)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.creds[mark] = creds
	p.mu.Unlock()
	return creds, nil
}

func fingerprint(a *outlay.CloudAccount) string {
	b, err := json.Marshal([]any{a.OrgID, a.ID, a.Credential})
	if err != nil {
		panic(err) // plain data always marshals
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func (p *Provider) build(a *outlay.CloudAccount, partition string) (sdk.CredentialsProvider, error) {
	switch a.Credential.Kind {
	case kindKeys:
		return p.keys(a)
	case kindRole:
		base, err := p.base(a)
		if err != nil {
			return nil, err
		}
		external := a.Credential.Values[fieldExternal]
		if external == "" {
			return nil, outlay.Errorf(outlay.CodeInvalid, "Remove this account and add it again.", "the account has no external ID").InField(fieldExternal)
		}
		assume := stscreds.NewAssumeRoleProvider(p.sts(base, partition), a.Credential.Values[fieldRole], func(o *stscreds.AssumeRoleOptions) {
			o.ExternalID, o.RoleSessionName = &external, sessionName(p.opts.InstallationID)
		})
		return sdk.NewCredentialsCache(assume, func(o *sdk.CredentialsCacheOptions) { o.ExpiryWindow = 5 * time.Minute }), nil
	}
	return nil, outlay.Errorf(outlay.CodeInvalid, "Use the kind role or keys.", "%q is not a kind of credential for AWS", clip(a.Credential.Kind, 40))
}

// keys are the account's stored access key.
func (p *Provider) keys(a *outlay.CloudAccount) (sdk.CredentialsProvider, error) {
	id := a.Credential.Values[fieldKeyID]
	if id == "" {
		return nil, outlay.Errorf(outlay.CodeInvalid, "Store an access key for this account.", "the account has no access key ID").InField(fieldKeyID)
	}
	if p.opts.Secrets == nil {
		return nil, outlay.Errorf(outlay.CodeInternal, "", "no keyset to open the credential with")
	}
	secret, err := p.opts.Secrets.Open(a, fieldKeySecret)
	if err != nil {
		return nil, err
	}
	return credentials.NewStaticCredentialsProvider(id, secret.Reveal(), ""), nil
}

// base is what a role is assumed with: the account's own base key, else this server's identity, which serves for
// nothing but this.
func (p *Provider) base(a *outlay.CloudAccount) (sdk.CredentialsProvider, error) {
	if a.Credential.Values[fieldKeyID] != "" {
		return p.keys(a)
	}
	if p.opts.Ambient == nil {
		return nil, outlay.Errorf(outlay.CodeInvalid, "Give this server an AWS identity, or store with the account a key that may assume the role.",
			"this server has no AWS identity to assume a role with").InField(fieldKeyID)
	}
	return p.opts.Ambient, nil
}

var notInSessionName = regexp.MustCompile(`[^\w+=,.@-]`)

// sessionName tells the customer's CloudTrail which installation came.
func sessionName(installation string) string {
	return clip("outlay-"+notInSessionName.ReplaceAllString(installation, "-"), 60)
}

func (p *Provider) sts(creds sdk.CredentialsProvider, partition string) *sts.Client {
	return sts.NewFromConfig(p.config(creds, serviceRegion(partition)))
}

func (s session) sts() *sts.Client                     { return sts.NewFromConfig(s.cfg) }
func (s session) iam() *iam.Client                     { return iam.NewFromConfig(s.cfg) }
func (s session) organizations() *organizations.Client { return organizations.NewFromConfig(s.cfg) }
func (s session) tags() *costexplorer.Client           { return costexplorer.NewFromConfig(s.cfg) }
func (s session) reports() *cur.Client                 { return cur.NewFromConfig(s.cfg) }
func (s session) exports() *bcmdataexports.Client      { return bcmdataexports.NewFromConfig(s.cfg) }

// s3 is S3 in a region; against an endpoint of our own in path style, for there is no name per bucket there.
func (s session) s3(region string) *s3.Client {
	if region == "" {
		region = serviceRegion(s.Partition)
	}
	return s3.NewFromConfig(s.cfg, func(o *s3.Options) {
		o.Region = region
		o.UsePathStyle = s.cfg.BaseEndpoint != nil
	})
}
