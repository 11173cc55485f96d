package aws_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bcmdataexports"
	bcmtypes "github.com/aws/aws-sdk-go-v2/service/bcmdataexports/types"
	cur "github.com/aws/aws-sdk-go-v2/service/costandusagereportservice"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	cetypes "github.com/aws/aws-sdk-go-v2/service/costexplorer/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"outlay/simcloud/aws"
)

// operation is one API call with the permissions that it takes, and whether it changes anything.
type operation struct {
	name    string
	needs   []string
	changes bool
	call    func(ctx context.Context, c clients) error
}

// only drops an answer.
func only[T any](_ T, err error) error { return err }

// stage is where the operations play: a bucket 'stage' with an object, an export, a role.
func stage(t *testing.T) (*world, string) {
	w := newWorld(t, aws.Options{ExportQuota: 50})
	w.ready(payerID, "stage", "focus")
	w.PlantObject("stage", "data", []byte(strings.Repeat("0123456789", 100)))
	w.SeeTags("Project")
	w.AddRole(payerID, "billing", "arn:aws:iam::"+payerID+":root", "")
	w.PlantBucket(payerID, "us-east-1", "spare")
	return w, w.PlantExport(payerID, "focus", "stage")
}

func operations(arn string) []operation {
	bucket, key := awssdk.String("stage"), awssdk.String("data")
	s3ops := []operation{
		{"ListBuckets", []string{"s3:ListAllMyBuckets"}, false, func(ctx context.Context, c clients) error {
			return only(c.s3.ListBuckets(ctx, &s3.ListBucketsInput{}))
		}},
		{"CreateBucket", []string{"s3:CreateBucket", "s3:TagResource"}, true, func(ctx context.Context, c clients) error {
			return only(c.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: awssdk.String("fresh"), CreateBucketConfiguration: &types.CreateBucketConfiguration{Tags: []types.Tag{{Key: awssdk.String("k"), Value: awssdk.String("v")}}}}))
		}},
		{"GetBucketLocation", []string{"s3:GetBucketLocation"}, false, func(ctx context.Context, c clients) error {
			return only(c.s3.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: bucket}))
		}},
		{"ListObjectsV2", []string{"s3:ListBucket"}, false, func(ctx context.Context, c clients) error {
			return only(c.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket}))
		}},
		{"ListObjectVersions", []string{"s3:ListBucketVersions"}, false, func(ctx context.Context, c clients) error {
			return only(c.s3.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: bucket}))
		}},
		{"ListMultipartUploads", []string{"s3:ListBucketMultipartUploads"}, false, func(ctx context.Context, c clients) error {
			return only(c.s3.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: bucket}))
		}},
		{"GetBucketTagging", []string{"s3:GetBucketTagging"}, false, func(ctx context.Context, c clients) error {
			return only(c.s3.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: bucket}))
		}},
		{"PutBucketTagging", []string{"s3:PutBucketTagging"}, true, func(ctx context.Context, c clients) error {
			return only(c.s3.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{Bucket: bucket, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: awssdk.String("k"), Value: awssdk.String("v")}}}}))
		}},
		{"GetBucketPolicy", []string{"s3:GetBucketPolicy"}, false, func(ctx context.Context, c clients) error {
			return only(c.s3.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: bucket}))
		}},
		{"PutBucketPolicy", []string{"s3:PutBucketPolicy"}, true, func(ctx context.Context, c clients) error {
			return only(c.s3.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: bucket, Policy: awssdk.String(exportPolicy("stage", payerID, "focus"))}))
		}},
		{"DeleteBucketPolicy", []string{"s3:DeleteBucketPolicy"}, true, func(ctx context.Context, c clients) error {
			return only(c.s3.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: awssdk.String("spare")}))
		}},
		{"GetPublicAccessBlock", []string{"s3:GetBucketPublicAccessBlock"}, false, func(ctx context.Context, c clients) error {
			return only(c.s3.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: bucket}))
		}},
		{"PutPublicAccessBlock", []string{"s3:PutBucketPublicAccessBlock"}, true, func(ctx context.Context, c clients) error {
			return only(c.s3.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: bucket, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{BlockPublicAcls: awssdk.Bool(true)}}))
		}},
		{"GetBucketOwnershipControls", []string{"s3:GetBucketOwnershipControls"}, false, func(ctx context.Context, c clients) error {
			return only(c.s3.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: bucket}))
		}},
		{"PutBucketOwnershipControls", []string{"s3:PutBucketOwnershipControls"}, true, func(ctx context.Context, c clients) error {
			return only(c.s3.PutBucketOwnershipControls(ctx, &s3.PutBucketOwnershipControlsInput{Bucket: bucket, OwnershipControls: &types.OwnershipControls{Rules: []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnershipBucketOwnerEnforced}}}}))
		}},
		{"GetBucketEncryption", []string{"s3:GetEncryptionConfiguration"}, false, func(ctx context.Context, c clients) error {
			return only(c.s3.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: bucket}))
		}},
		{"PutBucketEncryption", []string{"s3:PutEncryptionConfiguration"}, true, func(ctx context.Context, c clients) error {
			return only(c.s3.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: bucket, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAes256}}}}}))
		}},
		{"PutBucketLifecycleConfiguration", []string{"s3:PutLifecycleConfiguration"}, true, func(ctx context.Context, c clients) error {
			return only(c.s3.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: bucket, LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: []types.LifecycleRule{{Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{Prefix: awssdk.String("")}, AbortIncompleteMultipartUpload: &types.AbortIncompleteMultipartUpload{DaysAfterInitiation: awssdk.Int32(7)}}}}}))
		}},
		{"GetBucketLifecycleConfiguration", []string{"s3:GetLifecycleConfiguration"}, false, func(ctx context.Context, c clients) error {
			return only(c.s3.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: bucket}))
		}},
		{"GetBucketVersioning", []string{"s3:GetBucketVersioning"}, false, func(ctx context.Context, c clients) error {
			return only(c.s3.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: bucket}))
		}},
		{"PutObject", []string{"s3:PutObject"}, true, func(ctx context.Context, c clients) error {
			return only(c.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: awssdk.String("new"), Body: strings.NewReader("x")}))
		}},
		{"GetObject", []string{"s3:GetObject"}, false, func(ctx context.Context, c clients) error {
			out, err := c.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key, ChecksumMode: types.ChecksumModeEnabled})
			if err != nil {
				return err
			}
			defer func() { _ = out.Body.Close() }()
			if b, err := io.ReadAll(out.Body); err != nil || len(b) != 1000 {
				return errors.Join(errors.New("the object is not whole"), err)
			}
			return nil
		}},
		{"DeleteObject", []string{"s3:DeleteObject"}, true, func(ctx context.Context, c clients) error {
			return only(c.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: awssdk.String("new")}))
		}},
		{"DeleteObjects", []string{"s3:DeleteObject"}, true, func(ctx context.Context, c clients) error {
			out, err := c.s3.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: awssdk.String("theirs/report.csv")}}}})
			if err == nil && len(out.Errors) > 0 {
				return &smithy.GenericAPIError{Code: *out.Errors[0].Code, Message: *out.Errors[0].Message}
			}
			return err
		}},
	}
	return append(s3ops, otherOperations(arn)...)
}

func otherOperations(arn string) []operation {
	table := awssdk.String("FOCUS_1_2_AWS")
	return []operation{
		{"SimulatePrincipalPolicy", []string{"iam:SimulatePrincipalPolicy"}, false, func(ctx context.Context, c clients) error {
			return only(c.iam.SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{PolicySourceArn: awssdk.String("arn:aws:iam::111122223333:role/billing"), ActionNames: []string{"s3:CreateBucket"}}))
		}},
		{"GetRole", []string{"iam:GetRole"}, false, func(ctx context.Context, c clients) error {
			return only(c.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: awssdk.String("billing")}))
		}},
		{"DescribeOrganization", []string{"organizations:DescribeOrganization"}, false, func(ctx context.Context, c clients) error {
			return only(c.org.DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{}))
		}},
		{"ListAccounts", []string{"organizations:ListAccounts"}, false, func(ctx context.Context, c clients) error {
			return only(c.org.ListAccounts(ctx, &organizations.ListAccountsInput{}))
		}},
		{"ListTables", []string{"bcm-data-exports:ListTables"}, false, func(ctx context.Context, c clients) error {
			return only(c.bcm.ListTables(ctx, &bcmdataexports.ListTablesInput{}))
		}},
		{"GetTable", []string{"bcm-data-exports:GetTable"}, false, func(ctx context.Context, c clients) error {
			return only(c.bcm.GetTable(ctx, &bcmdataexports.GetTableInput{TableName: table}))
		}},
		{"CreateExport", []string{"bcm-data-exports:CreateExport", "cur:PutReportDefinition"}, true, func(ctx context.Context, c clients) error {
			return only(c.bcm.CreateExport(ctx, &bcmdataexports.CreateExportInput{Export: definition("focus", "stage")}))
		}},
		{"GetExport", []string{"bcm-data-exports:GetExport"}, false, func(ctx context.Context, c clients) error {
			return only(c.bcm.GetExport(ctx, &bcmdataexports.GetExportInput{ExportArn: &arn}))
		}},
		{"ListExports", []string{"bcm-data-exports:ListExports"}, false, func(ctx context.Context, c clients) error {
			return only(c.bcm.ListExports(ctx, &bcmdataexports.ListExportsInput{}))
		}},
		{"ListExecutions", []string{"bcm-data-exports:ListExecutions"}, false, func(ctx context.Context, c clients) error {
			return only(c.bcm.ListExecutions(ctx, &bcmdataexports.ListExecutionsInput{ExportArn: &arn}))
		}},
		{"ListTagsForResource", []string{"bcm-data-exports:ListTagsForResource"}, false, func(ctx context.Context, c clients) error {
			return only(c.bcm.ListTagsForResource(ctx, &bcmdataexports.ListTagsForResourceInput{ResourceArn: &arn}))
		}},
		{"TagResource", []string{"bcm-data-exports:TagResource"}, true, func(ctx context.Context, c clients) error {
			return only(c.bcm.TagResource(ctx, &bcmdataexports.TagResourceInput{ResourceArn: &arn, ResourceTags: []bcmtypes.ResourceTag{{Key: awssdk.String("k"), Value: awssdk.String("v")}}}))
		}},
		{"UntagResource", []string{"bcm-data-exports:UntagResource"}, true, func(ctx context.Context, c clients) error {
			return only(c.bcm.UntagResource(ctx, &bcmdataexports.UntagResourceInput{ResourceArn: &arn, ResourceTagKeys: []string{"k"}}))
		}},
		{"ListCostAllocationTags", []string{"ce:ListCostAllocationTags"}, false, func(ctx context.Context, c clients) error {
			return only(c.ce.ListCostAllocationTags(ctx, &costexplorer.ListCostAllocationTagsInput{}))
		}},
		{"UpdateCostAllocationTagsStatus", []string{"ce:UpdateCostAllocationTagsStatus"}, true, func(ctx context.Context, c clients) error {
			return only(c.ce.UpdateCostAllocationTagsStatus(ctx, &costexplorer.UpdateCostAllocationTagsStatusInput{CostAllocationTagsStatus: []cetypes.CostAllocationTagStatusEntry{entry("Project", "Active")}}))
		}},
		{"ListCostAllocationTagBackfillHistory", []string{"ce:ListCostAllocationTagBackfillHistory"}, false, func(ctx context.Context, c clients) error {
			return only(c.ce.ListCostAllocationTagBackfillHistory(ctx, &costexplorer.ListCostAllocationTagBackfillHistoryInput{}))
		}},
		{"DeleteExport", []string{"bcm-data-exports:DeleteExport"}, true, func(ctx context.Context, c clients) error {
			return only(c.bcm.DeleteExport(ctx, &bcmdataexports.DeleteExportInput{ExportArn: &arn}))
		}},
		{"DescribeReportDefinitions", []string{"cur:DescribeReportDefinitions"}, false, func(ctx context.Context, c clients) error {
			return only(c.cur.DescribeReportDefinitions(ctx, &cur.DescribeReportDefinitionsInput{MaxResults: awssdk.Int32(5)}))
		}},
		{"DeleteReportDefinition", []string{"cur:DeleteReportDefinition"}, true, func(ctx context.Context, c clients) error {
			return only(c.cur.DeleteReportDefinition(ctx, &cur.DeleteReportDefinitionInput{ReportName: awssdk.String("legacy")}))
		}},
		{"DeleteBucket", []string{"s3:DeleteBucket"}, true, func(ctx context.Context, c clients) error {
			return only(c.s3.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: awssdk.String("fresh")}))
		}},
	}
}

// Every call is refused to somebody who may do everything but one of its actions, by the name of that action, and
// granted to somebody who may do its actions and nothing else.
func TestEveryCallIsGuarded(t *testing.T) {
	w, arn := stage(t)
	for _, op := range operations(arn) {
		for _, missing := range op.needs {
			user := "no-" + op.name + "-" + strings.ReplaceAll(missing, ":", "-")
			c := w.as(payerID, user, "*")
			w.Deny(w.UserARN(payerID, user), missing)
			var api smithy.APIError
			if err := op.call(t.Context(), c); !errors.As(err, &api) || !strings.HasPrefix(api.ErrorCode(), "AccessDenied") || !strings.Contains(api.ErrorMessage(), missing) {
				t.Errorf("%s without %s: got %v", op.name, missing, err)
			}
		}
		if err := op.call(t.Context(), w.as(payerID, "just-"+op.name, op.needs...)); err != nil {
			t.Errorf("%s with its own actions: %v", op.name, err)
		}
	}
}

// Every call under every fault ends as a failure within its time, and a call that changes something is sent once: there
// is no hidden second create. (Go's transport repeats a GET on a connection that was reset: that one may succeed.)
func TestEveryCallUnderEveryFault(t *testing.T) {
	for _, kind := range aws.FaultKinds() {
		t.Run(string(kind), func(t *testing.T) {
			w, arn := stage(t)
			c := w.as(payerID, "ada", "*")
			for _, op := range operations(arn) {
				if spares(kind, op) {
					continue
				}
				w.ClearRequests()
				w.Fault(aws.Fault{Match: op.name, Kind: kind})
				ctx, cancel := context.WithTimeout(t.Context(), faultTime(kind))
				err := op.call(ctx, c)
				cancel()
				sent := len(w.Requests())
				if repeated := strings.HasPrefix(string(kind), "reset") && !op.changes; err == nil && !repeated {
					t.Errorf("%s saw no failure", op.name)
				}
				if op.changes && sent > 1 {
					t.Errorf("%s was sent %d times", op.name, sent)
				}
				w.ClearFaults()
				if op.name == "CreateBucket" || op.name == "PutBucketLifecycleConfiguration" {
					_ = op.call(t.Context(), c) // later calls need it; whether it was made already depends on the fault
				}
			}
		})
	}
}

// faultTime is long enough for any answer, and short where there is none.
func faultTime(kind aws.FaultKind) time.Duration {
	if kind == aws.Hang || kind == aws.HangAfter || kind == aws.Trickle {
		return 50 * time.Millisecond
	}
	return 10 * time.Second
}

// spares tells faults that an operation cannot show: answers without a body, or whose body is not read.
func spares(kind aws.FaultKind, op operation) bool {
	switch kind {
	case aws.KeyErrors:
		return op.name != "DeleteObjects"
	case aws.BadChecksum:
		return op.name != "GetObject"
	case aws.Truncate, aws.TruncateSilently, aws.Garble, aws.Trickle:
		bodyless := strings.HasPrefix(op.name, "PutBucket") || strings.HasPrefix(op.name, "PutPublic") || op.name == "PutObject" || op.name == "DeleteObject" || op.name == "DeleteBucket" || op.name == "DeleteBucketPolicy" || op.name == "CreateBucket"
		empty := op.name == "TagResource" || op.name == "UntagResource" || op.name == "GetBucketPolicy" // a policy is any text
		return bodyless || empty
	}
	return false
}
