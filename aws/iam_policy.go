package aws

import (
	"encoding/json"
	"slices"
	"strings"

	"outlay"
)

// document is an IAM policy as we write it.
type document struct {
	Version   string
	Statement []grant
}

type grant struct {
	Sid       string         `json:",omitempty"`
	Effect    string         `json:"Effect"`
	Principal map[string]any `json:",omitempty"`
	Action    any
	Resource  any            `json:",omitempty"`
	Condition map[string]any `json:",omitempty"`
}

func (d document) String() string {
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		panic(err) // plain data always marshals
	}
	return string(b)
}

// ProvisionerPolicy is the least that a credential needs to provision, watch, read and deprovision: exactly the
// actions that this room calls (clouds.md §2.7). account may be "*" before it is known.
func ProvisionerPolicy(partition, account string) string {
	bucket := "arn:" + partition + ":s3:::" + bucketPrefix + "-*"
	export := "arn:" + partition + ":bcm-data-exports:*:" + account
	roles := []string{"arn:" + partition + ":iam::" + account + ":role/*", "arn:" + partition + ":iam::" + account + ":user/*"}
	allow := func(sid string, resource any, actions ...string) grant {
		return grant{Sid: sid, Effect: "Allow", Action: actions, Resource: resource}
	}
	return document{Version: "2012-10-17", Statement: []grant{
		allow("Context", "*", "organizations:DescribeOrganization", "organizations:ListAccounts", "s3:ListAllMyBuckets", "cur:DescribeReportDefinitions"),
		allow("Bucket", bucket, bucketActions()...),
		allow("BucketRemoval", bucket, "s3:ListBucketVersions", "s3:ListBucketMultipartUploads", "s3:DeleteBucket"),
		allow("ObjectRemoval", bucket+"/*", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"),
		allow("Read", bucket+"/*", "s3:GetObject"),
		allow("Exports", []string{export + ":export/*", export + ":table/*"}, "bcm-data-exports:CreateExport", "bcm-data-exports:UpdateExport",
			"bcm-data-exports:DeleteExport", "bcm-data-exports:GetExport", "bcm-data-exports:TagResource", "bcm-data-exports:ListTagsForResource"),
		allow("ExportsList", "*", "bcm-data-exports:ListExports", "bcm-data-exports:GetTable"),
		allow("CurCompanion", "arn:"+partition+":cur:*:"+account+":*", "cur:PutReportDefinition"),
		allow("Tags", "*", "ce:ListCostAllocationTags", "ce:UpdateCostAllocationTagsStatus", "ce:StartCostAllocationTagBackfill",
			"ce:ListCostAllocationTagBackfillHistory"),
		allow("SelfCheck", roles, "iam:SimulatePrincipalPolicy", "iam:GetRole"),
	}}.String()
}

// bucketActions are the calls on the bucket itself that provisioning makes.
func bucketActions() []string {
	return []string{
		"s3:CreateBucket", "s3:TagResource", "s3:ListBucket", "s3:GetBucketTagging",
		"s3:GetBucketPublicAccessBlock", "s3:PutBucketPublicAccessBlock", "s3:GetBucketOwnershipControls", "s3:PutBucketOwnershipControls",
		"s3:GetEncryptionConfiguration", "s3:PutEncryptionConfiguration", "s3:GetLifecycleConfiguration", "s3:PutLifecycleConfiguration",
		"s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy",
	}
}

// bucketReads are those of them that only look.
func bucketReads() []string {
	return slices.DeleteFunc(bucketActions(), func(a string) bool { return !strings.HasPrefix(a, "s3:Get") && a != "s3:ListBucket" })
}

// ReaderPolicy is the least that watching and reading an existing set-up needs: the hourly look at the bucket, its parts
// and the export, and the delivered files. The server can run with it once billing is provisioned (reliability.md M15).
// HeadBucket names no prefix, so that s3:ListBucket cannot be tied to one.
func ReaderPolicy(partition, account, bucket string) string {
	at := "arn:" + partition + ":s3:::" + bucket
	return document{Version: "2012-10-17", Statement: []grant{
		{Sid: "Context", Effect: "Allow", Action: []string{"organizations:DescribeOrganization", "organizations:ListAccounts", "s3:ListAllMyBuckets"}, Resource: "*"},
		{Sid: "Bucket", Effect: "Allow", Action: bucketReads(), Resource: at},
		{Sid: "Read", Effect: "Allow", Action: []string{"s3:GetObject"}, Resource: at + "/" + filesPrefix + "/*"},
		{
			Sid: "Export", Effect: "Allow", Action: []string{"bcm-data-exports:GetExport", "bcm-data-exports:ListTagsForResource"},
			Resource: "arn:" + partition + ":bcm-data-exports:*:" + account + ":export/*",
		},
		{Sid: "ExportsList", Effect: "Allow", Action: []string{"bcm-data-exports:ListExports"}, Resource: "*"},
	}}.String()
}

// trustPolicy lets this server, and with it only callers that know the external id, assume the role (M7).
func trustPolicy(principal string) string {
	if principal == "" {
		principal = "the ARN of the role or user that this server runs as"
	}
	return document{Version: "2012-10-17", Statement: []grant{{
		Effect: "Allow", Principal: map[string]any{"AWS": principal}, Action: "sts:AssumeRole",
		Condition: map[string]any{"StringEquals": map[string]any{"sts:ExternalId": "{" + fieldExternal + "}"}},
	}}}.String()
}

// policyFor is the smallest policy that grants what is missing, or "" when nothing is. A service control policy or
// an explicit denial is not lifted by it, which Permission.Why then says.
func policyFor(missing []outlay.Permission) string {
	byResource := map[string][]string{}
	for _, m := range missing {
		byResource[m.Resource] = append(byResource[m.Resource], m.Action)
	}
	if len(byResource) == 0 {
		return ""
	}
	byActions := map[string][]string{} // the same actions on several things make one statement
	for resource, actions := range byResource {
		slices.Sort(actions)
		key := strings.Join(slices.Compact(actions), " ")
		byActions[key] = append(byActions[key], resource)
	}
	d := document{Version: "2012-10-17"}
	for actions, resources := range byActions {
		slices.Sort(resources)
		d.Statement = append(d.Statement, grant{Effect: "Allow", Action: strings.Fields(actions), Resource: resources})
	}
	slices.SortFunc(d.Statement, func(a, b grant) int {
		return strings.Compare(strings.Join(a.Action.([]string), " "), strings.Join(b.Action.([]string), " "))
	})
	return d.String()
}
