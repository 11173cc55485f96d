package aws

import (
	"context"
	"slices"

	"outlay"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// need is one permission on one thing, and what for. soft needs have no effect but a warning when they lack.
type need struct {
	action, resource, why string
	soft                  bool
}

// needsOf are the permissions that a source's way up, or down, takes. Without a source, those of a new one; for an
// export that somebody else set up, those of reading it.
func needsOf(s *outlay.Source, n names) []need {
	if isImported(s) {
		return importNeeds(s, n)
	}
	bucket := "arn:" + n.Partition + ":s3:::" + n.Bucket
	if n.Bucket == "" {
		bucket += bucketPrefix + "-*"
	}
	exports := "arn:" + n.Partition + ":bcm-data-exports:" + serviceRegion(n.Partition) + ":" + n.Account + ":export/" + orElse(n.Export, exportPrefix) + "-*"
	list := []need{
		{"organizations:DescribeOrganization", "*", "finding the payer account", true},
		{"organizations:ListAccounts", "*", "listing the accounts that share the bill", true},
		{"s3:ListAllMyBuckets", "*", "reading when the bucket was created", true},
		{"bcm-data-exports:ListExports", "*", "looking for the data export", false},
		{"bcm-data-exports:GetExport", exports, "checking the data export", false},
		{"bcm-data-exports:ListTagsForResource", exports, "checking whose the data export is", false},
		{"s3:ListBucket", bucket, "finding the bucket and what was delivered", false},
		{"s3:GetBucketTagging", bucket, "checking whose the bucket is", false},
		{"s3:GetBucketPolicy", bucket, "merging the bucket's policy", false},
		{"s3:PutBucketPolicy", bucket, "letting AWS deliver into the bucket, and stopping it again", false},
	}
	if s != nil && s.Spec == nil {
		return append(list, downNeeds(s, bucket, exports)...)
	}
	return append(list, upNeeds(s, n, bucket, exports)...)
}

// importNeeds are what looking at an imported export and reading its files takes.
func importNeeds(s *outlay.Source, n names) []need {
	at, err := importedLocation(s)
	if err != nil {
		return nil // there is nothing that could be looked at
	}
	bucket := "arn:" + n.Partition + ":s3:::" + at.Bucket
	look := need{"bcm-data-exports:GetExport", s.Spec.Fields[fieldID], "checking the data export", true}
	if at.Layout == layoutReport {
		look = need{"cur:DescribeReportDefinitions", "*", "checking the cost and usage report", true}
	}
	return []need{
		{"organizations:DescribeOrganization", "*", "finding the payer account", true},
		{"organizations:ListAccounts", "*", "listing the accounts that share the bill", true},
		look,
		{"s3:ListBucket", bucket, "finding what was delivered", false},
		{"s3:GetObject", bucket + "/" + at.base() + "*", "reading delivered files", false},
	}
}

func upNeeds(s *outlay.Source, n names, bucket, exports string) []need {
	list := []need{
		{"s3:CreateBucket", bucket, "creating the bucket", false},
		{"s3:TagResource", bucket, "marking the bucket as ours", false},
		{"s3:GetBucketPublicAccessBlock", bucket, "checking that nobody else can read the bucket", true},
		{"s3:PutBucketPublicAccessBlock", bucket, "keeping the bucket private", true},
		{"s3:GetBucketOwnershipControls", bucket, "checking who owns delivered files", true},
		{"s3:PutBucketOwnershipControls", bucket, "owning delivered files", true},
		{"s3:GetEncryptionConfiguration", bucket, "checking the bucket's encryption", true},
		{"s3:PutEncryptionConfiguration", bucket, "encrypting the bucket", true},
		{"s3:GetLifecycleConfiguration", bucket, "checking the bucket's lifecycle rules", true},
		{"s3:PutLifecycleConfiguration", bucket, "removing unfinished uploads", true},
		{"s3:GetObject", bucket + "/*", "reading delivered files", false},
		{"bcm-data-exports:GetTable", "*", "reading the columns that AWS offers", false},
		{"bcm-data-exports:CreateExport", exports, "creating the data export", false},
		{"bcm-data-exports:UpdateExport", exports, "repairing the data export", true},
		{"bcm-data-exports:TagResource", exports, "marking the data export as ours", false},
		{"cur:PutReportDefinition", "arn:" + n.Partition + ":cur:" + serviceRegion(n.Partition) + ":" + n.Account + ":definition/*", "creating the data export, which AWS checks this for too", false},
	}
	if s != nil && s.Spec != nil && len(s.Spec.Tags) > 0 {
		list = append(list,
			need{"ce:ListCostAllocationTags", "*", "seeing which tags are on", true},
			need{"ce:UpdateCostAllocationTagsStatus", "*", "turning the tags on", true})
	}
	return list
}

func downNeeds(s *outlay.Source, bucket, exports string) []need {
	list := []need{
		{"bcm-data-exports:DeleteExport", exports, "deleting the data export", false},
		{"s3:DeleteBucketPolicy", bucket, "removing an empty policy", true},
	}
	if s.CostFiles == outlay.KeepCostFiles {
		return list
	}
	return append(list,
		need{"s3:ListBucketVersions", bucket, "listing what is in the bucket", false},
		need{"s3:ListBucketMultipartUploads", bucket, "listing unfinished uploads", false},
		need{"s3:DeleteObject", bucket + "/*", "deleting delivered files", false},
		need{"s3:DeleteObjectVersion", bucket + "/*", "deleting older versions of delivered files", false},
		need{"s3:AbortMultipartUpload", bucket + "/*", "ending unfinished uploads", false},
		need{"s3:DeleteBucket", bucket, "deleting the bucket", false})
}

// permissions asks IAM's simulator what the credential may do. It does not know bucket policies and resource control
// policies: 'allowed' is not a promise (clouds.md §2.7).
func (o *observer) permissions(ctx context.Context) {
	n := o.n
	if n.Account == "" {
		n.Account, n.Partition = o.seen.Identity.AccountID, o.ses.Partition
	}
	needs := needsOf(o.s, n)
	principal, err := rolePath(ctx, o.ses, o.a, o.seen.Identity)
	if err == nil && principal != "" {
		err = o.simulate(ctx, principal, needs)
	}
	switch {
	case principal == "" && err == nil:
		o.probe(needs, "AWS cannot test what the root user may do. Use a role instead.")
	case err != nil:
		o.seen.Permissions = nil
		o.probe(needs, "Permissions could not be tested: "+outlay.AsError(err).Message+". A missing permission shows when the run comes to it.")
	}
	o.seen.Policy = policyFor(o.seen.Missing())
}

// simulate asks about the actions of each resource in one call.
func (o *observer) simulate(ctx context.Context, principal string, needs []need) error {
	byResource := map[string][]need{}
	for _, n := range needs {
		byResource[n.resource] = append(byResource[n.resource], n)
	}
	for _, resource := range sortedKeys(byResource) {
		in := &iam.SimulatePrincipalPolicyInput{PolicySourceArn: &principal, ResourceArns: []string{resource}}
		for _, n := range byResource[resource] {
			in.ActionNames = append(in.ActionNames, n.action)
		}
		decisions := map[string]outlay.Permission{}
		pages := iam.NewSimulatePrincipalPolicyPaginator(o.ses.iam(), in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return failure(err, call{Action: "iam:SimulatePrincipalPolicy", Resource: principal, Doing: "testing permissions"})
			}
			for _, r := range page.EvaluationResults {
				decisions[sdk.ToString(r.EvalActionName)] = decision(r, resource)
			}
		}
		for _, n := range byResource[resource] {
			d, ok := decisions[n.action]
			if !ok {
				d.State = outlay.PermissionUnknown
			}
			o.seen.Permissions = append(o.seen.Permissions, outlay.Permission{Action: n.action, Resource: n.resource, For: n.why, State: d.State, Why: d.Why})
		}
	}
	slices.SortStableFunc(o.seen.Permissions, byNeed(needs))
	return nil
}

// byNeed sorts permissions as they are needed.
func byNeed(needs []need) func(a, b outlay.Permission) int {
	at := func(p outlay.Permission) int {
		return slices.IndexFunc(needs, func(n need) bool { return n.action == p.Action && n.resource == p.Resource })
	}
	return func(a, b outlay.Permission) int { return at(a) - at(b) }
}

// decision is one answer of the simulator. The top-level resource name is only a template: the resource's own result
// counts where there is one (clouds.md §2.7).
func decision(r types.EvaluationResult, resource string) outlay.Permission {
	verdict, orgs, boundary := r.EvalDecision, r.OrganizationsDecisionDetail, r.PermissionsBoundaryDecisionDetail
	for _, one := range r.ResourceSpecificResults {
		if sdk.ToString(one.EvalResourceName) == resource {
			verdict = one.EvalResourceDecision
			if one.PermissionsBoundaryDecisionDetail != nil {
				boundary = one.PermissionsBoundaryDecisionDetail
			}
		}
	}
	switch {
	case verdict == types.PolicyEvaluationDecisionTypeAllowed:
		return outlay.Permission{State: outlay.PermissionGranted}
	case orgs != nil && !orgs.AllowedByOrganizations:
		return outlay.Permission{State: outlay.PermissionDenied, Why: "a service control policy of the AWS organization"}
	case boundary != nil && !boundary.AllowedByPermissionsBoundary:
		return outlay.Permission{State: outlay.PermissionDenied, Why: "the permissions boundary of the role or user"}
	case verdict == types.PolicyEvaluationDecisionTypeExplicitDeny:
		return outlay.Permission{State: outlay.PermissionDenied, Why: "a policy that denies it explicitly"}
	}
	return outlay.Permission{State: outlay.PermissionDenied, Why: "no policy allows it"}
}

// probe takes what the look's own reads found out, and leaves the rest unknown: unknown is not missing.
func (o *observer) probe(needs []need, why string) {
	o.note("info", why)
	for _, n := range needs {
		p := outlay.Permission{Action: n.action, Resource: n.resource, For: n.why, State: outlay.PermissionUnknown}
		if found, ok := o.read(n.action); ok {
			p.State = found
		}
		o.seen.Permissions = append(o.seen.Permissions, p)
	}
}

// read is what a read of this look tells about a permission: granted when it was answered, denied when the reason it
// failed names the action.
func (o *observer) read(action string) (outlay.PermissionState, bool) {
	part, ok := map[string]string{
		"bcm-data-exports:ListExports": string(kindExport), "bcm-data-exports:GetTable": string(kindTable),
		"s3:ListBucket": string(kindBucket), "organizations:DescribeOrganization": "organization", "ce:ListCostAllocationTags": string(kindTag),
	}[action]
	if !ok || o.look.Kinds != nil || (o.s == nil && part != "organization") {
		return "", false
	}
	switch err := o.failed[part]; {
	case err != nil && slices.ContainsFunc(outlay.AsError(err).Needs, func(p outlay.Permission) bool { return p.Action == action }):
		return outlay.PermissionDenied, true
	case err != nil, part == string(kindTag) && !o.look.Tags, part == string(kindBucket) && o.n.Bucket == "":
		return outlay.PermissionUnknown, false
	}
	return outlay.PermissionGranted, true
}

// lookUpRole asks IAM for the ARN of the role behind a session.
func lookUpRole(ctx context.Context, ses session, who arn) (string, error) {
	name := roleName(who)
	out, err := ses.iam().GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	if err != nil {
		return "", failure(err, call{Action: "iam:GetRole", Resource: "arn:" + who.Partition + ":iam::" + who.Account + ":role/" + name, Doing: "looking for the role of the credential"})
	}
	if out.Role == nil {
		return "", halfAnswer("looking for the role of the credential")
	}
	return sdk.ToString(out.Role.Arn), nil
}
