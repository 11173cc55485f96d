package aws

import (
	"context"
	"strings"

	"outlay"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// What Identity.Extra remembers.
const (
	extraPartition  = "partition"
	extraKind       = "kind" // payer, member, standalone; absent while it could not be found out
	extraPayerEmail = "payer-email"
	extraOrg        = "organization"
)

// The places of an account among those that are invoiced together.
const (
	payer      = "payer"
	member     = "member"
	standalone = "standalone"
)

// whoami asks AWS who the credential is, and refuses one that is now another account (reliability.md M11). A bound
// account keeps the billing scope that it was bound with.
func (p *Provider) whoami(ctx context.Context, ses session, a *outlay.CloudAccount) (outlay.Identity, error) {
	out, err := ses.sts().GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return outlay.Identity{}, failure(err, call{Action: "sts:GetCallerIdentity", Resource: "*", Doing: "checking the credential"})
	}
	who, err := parseARN(sdk.ToString(out.Arn))
	if err != nil {
		return outlay.Identity{}, err
	}
	id := outlay.Identity{AccountID: sdk.ToString(out.Account), Principal: who.String(), Scope: a.Identity.Scope, Extra: map[string]string{}}
	for k, v := range a.Identity.Extra {
		id.Extra[k] = v
	}
	id.Extra[extraPartition] = who.Partition
	if bound := a.Identity.AccountID; bound != "" && bound != id.AccountID {
		return outlay.Identity{}, outlay.Errorf(outlay.CodeConflict, "Store a credential of account "+bound+", or add account "+id.AccountID+" as an account of its own.",
			"the credential belongs to AWS account %s, but this account is bound to %s", id.AccountID, bound)
	}
	if a.Credential.Kind == kindRole {
		role, err := parseRoleARN(a.Credential.Values[fieldRole])
		if err == nil && role.Account != id.AccountID {
			return outlay.Identity{}, outlay.Errorf(outlay.CodeConflict, "Check the role ARN.", "the role belongs to AWS account %s, but AWS says %s", role.Account, id.AccountID)
		}
	}
	return id, nil
}

// place finds out who is invoiced for the account: itself, or the payer of its organization (clouds.md §2.3 step 0).
func (p *Provider) place(ctx context.Context, ses session, id *outlay.Identity) error {
	out, err := ses.organizations().DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	if isCode(err, "AWSOrganizationsNotInUseException") {
		id.Extra[extraKind] = standalone
		id.Scope = outlay.BillingScope{ID: id.AccountID, Name: "AWS account " + id.AccountID, IsPayer: true}
		return nil
	}
	if err != nil {
		return failure(err, call{Action: "organizations:DescribeOrganization", Resource: "*", Doing: "looking for the payer account"})
	}
	if out.Organization == nil {
		return halfAnswer("looking for the payer account")
	}
	master := sdk.ToString(out.Organization.MasterAccountId)
	id.Extra[extraOrg] = sdk.ToString(out.Organization.Id)
	id.Extra[extraPayerEmail] = sdk.ToString(out.Organization.MasterAccountEmail)
	id.Extra[extraKind] = member
	id.Scope = outlay.BillingScope{ID: master, Name: "AWS payer " + master}
	if master == id.AccountID {
		id.Extra[extraKind], id.Scope.IsPayer = payer, true
	}
	return nil
}

// members lists the accounts of the organization; AWS tells them to the payer only.
func (p *Provider) members(ctx context.Context, ses session) ([]outlay.Member, error) {
	var out []outlay.Member
	pages := organizations.NewListAccountsPaginator(ses.organizations(), &organizations.ListAccountsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failure(err, call{Action: "organizations:ListAccounts", Resource: "*", Doing: "listing the member accounts"})
		}
		for _, m := range page.Accounts {
			out = append(out, outlay.Member{AccountID: sdk.ToString(m.Id), Name: sdk.ToString(m.Name)})
		}
	}
	return out, nil
}

// enforcesExternalID tries the role without our external id, and with a wrong one. A role that lets either in does
// not enforce it: anybody who can make this server assume roles could use it (reliability.md M7). It returns the
// sentence that blocks provisioning, or "".
func (p *Provider) enforcesExternalID(ctx context.Context, a *outlay.CloudAccount, partition string) (block string, err error) {
	base, err := p.base(a)
	if err != nil {
		return "", err
	}
	client := p.sts(base, partition)
	for _, probe := range []struct {
		external *string
		text     string
	}{{nil, "without any external ID"}, {sdk.String(NewExternalID()), "with a wrong external ID"}} {
		_, err := client.AssumeRole(ctx, &sts.AssumeRoleInput{
			RoleArn: sdk.String(a.Credential.Values[fieldRole]), ExternalId: probe.external,
			RoleSessionName: sdk.String(sessionName(p.opts.InstallationID) + "-probe"), DurationSeconds: sdk.Int32(900),
		})
		switch {
		case err == nil:
			return "The role can be assumed " + probe.text + ": it does not enforce the external ID. Add the condition sts:ExternalId to the role's trust policy.", nil
		case !isCode(err, "AccessDenied"):
			return "", failure(err, call{Action: "sts:AssumeRole", Resource: a.Credential.Values[fieldRole], Doing: "testing whether the role enforces the external ID"})
		}
	}
	return "", nil
}

// rolePath is the ARN that IAM's simulator takes for a principal: a session's own ARN lacks the role's path, so the
// role's is looked up (clouds.md §2.7). "" when the principal cannot be simulated, as for the root user.
func rolePath(ctx context.Context, ses session, a *outlay.CloudAccount, id outlay.Identity) (string, error) {
	who, err := parseARN(id.Principal)
	if err != nil {
		return "", err
	}
	switch {
	case who.Service == "iam" && strings.HasPrefix(who.Resource, "user/"):
		return id.Principal, nil
	case who.Service == "sts" && strings.HasPrefix(who.Resource, "assumed-role/"):
		stored, err := parseRoleARN(a.Credential.Values[fieldRole])
		if err == nil && stored.Account == id.AccountID && roleName(stored) == roleName(who) {
			return stored.String(), nil // what we assumed, path and all
		}
		return lookUpRole(ctx, ses, who)
	}
	return "", nil
}
