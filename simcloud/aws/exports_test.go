package aws_test

import (
	"errors"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bcmdataexports"
	"github.com/aws/aws-sdk-go-v2/service/bcmdataexports/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"outlay/simcloud/aws"
)

// exportPolicy lets Data Exports write for the exports of one name, as architecture.md §11 ruling 9 has it.
func exportPolicy(bucket, account, name string) string {
	return strings.NewReplacer("BUCKET", bucket, "ACCOUNT", account, "NAME", name).Replace(`{"Version":"2012-10-17","Statement":[{"Sid":"Exports","Effect":"Allow",
"Principal":{"Service":["bcm-data-exports.amazonaws.com","billingreports.amazonaws.com"]},"Action":["s3:PutObject","s3:GetBucketPolicy"],
"Resource":["arn:aws:s3:::BUCKET","arn:aws:s3:::BUCKET/*"],"Condition":{"StringLike":{"aws:SourceAccount":"ACCOUNT","aws:SourceArn":["arn:aws:bcm-data-exports:us-east-1:ACCOUNT:export/NAME-*"]}}}]}`)
}

// definition is the export that the product asks for, into bucket b.
func definition(name, b string) *types.Export {
	return &types.Export{
		Name: &name,
		DataQuery: &types.DataQuery{
			QueryStatement:      awssdk.String("SELECT BilledCost, BillingCurrency, BillingPeriodStart, ChargePeriodStart, EffectiveCost, SubAccountId, Tags FROM FOCUS_1_2_AWS"),
			TableConfigurations: map[string]map[string]string{"FOCUS_1_2_AWS": {"TIME_GRANULARITY": "DAILY"}},
		},
		DestinationConfigurations: &types.DestinationConfigurations{S3Destination: &types.S3Destination{
			S3Bucket: &b, S3Prefix: awssdk.String("outlay"), S3Region: awssdk.String("us-east-1"),
			S3OutputConfigurations: &types.S3OutputConfigurations{OutputType: types.S3OutputTypeCustom, Format: types.FormatOptionParquet, Compression: types.CompressionOptionParquet, Overwrite: types.OverwriteOptionOverwriteReport},
		}},
		RefreshCadence: &types.RefreshCadence{Frequency: types.FrequencyOptionSynchronous},
	}
}

// ready makes a bucket that exports of the name may write into.
func (w *world) ready(account, bucket, name string) {
	w.t.Helper()
	w.PlantBucket(account, "us-east-1", bucket)
	w.SetBucketPolicy(bucket, exportPolicy(bucket, account, name))
}

func (w *world) export(c clients, name, bucket string) string {
	w.t.Helper()
	out, err := c.bcm.CreateExport(w.t.Context(), &bcmdataexports.CreateExportInput{Export: definition(name, bucket), ResourceTags: []types.ResourceTag{{Key: awssdk.String("managed-by"), Value: awssdk.String("outlay")}}})
	if err != nil {
		w.t.Fatal(err)
	}
	return *out.ExportArn
}

func TestExportLife(t *testing.T) {
	w := newWorld(t, aws.Options{})
	w.ready(payerID, "bills", "focus")
	c, ctx := w.as(payerID, "ada", "*"), t.Context()
	arn := w.export(c, "focus", "bills")
	twin := w.export(c, "focus", "bills") // no conflict: AWS takes a second of the same name
	list := must[*bcmdataexports.ListExportsOutput](t)(c.bcm.ListExports(ctx, &bcmdataexports.ListExportsInput{}))
	if arn == twin || len(list.Exports) != 2 || *list.Exports[0].ExportName != "focus" {
		t.Errorf("got %+v", list.Exports)
	}
	_, err := c.bcm.CreateExport(ctx, &bcmdataexports.CreateExportInput{Export: definition("focus", "bills")})
	wantCode(t, err, "ServiceQuotaExceededException")
	got := must[*bcmdataexports.GetExportOutput](t)(c.bcm.GetExport(ctx, &bcmdataexports.GetExportInput{ExportArn: &arn}))
	if got.ExportStatus.StatusCode != types.ExportStatusCodeHealthy || *got.Export.DestinationConfigurations.S3Destination.S3Bucket != "bills" {
		t.Errorf("got %+v", got)
	}
	tags := must[*bcmdataexports.ListTagsForResourceOutput](t)(c.bcm.ListTagsForResource(ctx, &bcmdataexports.ListTagsForResourceInput{ResourceArn: &arn}))
	if len(tags.ResourceTags) != 1 || *tags.ResourceTags[0].Value != "outlay" {
		t.Errorf("got %+v", tags.ResourceTags)
	}
	must[*bcmdataexports.TagResourceOutput](t)(c.bcm.TagResource(ctx, &bcmdataexports.TagResourceInput{ResourceArn: &arn, ResourceTags: []types.ResourceTag{{Key: awssdk.String("k"), Value: awssdk.String("v")}}}))
	must[*bcmdataexports.UntagResourceOutput](t)(c.bcm.UntagResource(ctx, &bcmdataexports.UntagResourceInput{ResourceArn: &arn, ResourceTagKeys: []string{"managed-by"}}))
	if e := w.Exports(); e[0].Tags["k"] != "v" || e[0].Tags["managed-by"] != "" || e[1].Tags["managed-by"] != "outlay" {
		t.Errorf("got %+v", e)
	}
	w.SetBucketPolicy("bills", "")
	got = must[*bcmdataexports.GetExportOutput](t)(c.bcm.GetExport(ctx, &bcmdataexports.GetExportInput{ExportArn: &arn}))
	if got.ExportStatus.StatusCode != types.ExportStatusCodeUnhealthy || got.ExportStatus.StatusReason != types.ExecutionStatusReasonInsufficientPermission {
		t.Errorf("without a policy the export is %+v", got.ExportStatus)
	}
	must[*bcmdataexports.DeleteExportOutput](t)(c.bcm.DeleteExport(ctx, &bcmdataexports.DeleteExportInput{ExportArn: &twin}))
	_, err = c.bcm.DeleteExport(ctx, &bcmdataexports.DeleteExportInput{ExportArn: &twin})
	wantCode(t, err, "ResourceNotFoundException")
	_, err = w.as(memberID, "bob", "*").bcm.GetExport(ctx, &bcmdataexports.GetExportInput{ExportArn: &arn})
	wantCode(t, err, "ResourceNotFoundException")
}

// Everything that AWS refuses about an export, one by one.
func TestExportRefused(t *testing.T) {
	w := newLawlessWorld(t, aws.Options{})
	w.ready(payerID, "bills", "focus")
	w.PlantBucket(aloneID, "us-east-1", "theirs")
	c := w.as(payerID, "ada", "*")
	dest := func(e *types.Export) *types.S3Destination { return e.DestinationConfigurations.S3Destination }
	for _, x := range []struct {
		name  string
		spoil func(*types.Export)
		word  string
	}{
		{"a star", func(e *types.Export) { e.DataQuery.QueryStatement = awssdk.String("SELECT * FROM FOCUS_1_2_AWS") }, "subset"},
		{"a column in the wrong case", func(e *types.Export) {
			e.DataQuery.QueryStatement = awssdk.String("SELECT billedcost FROM FOCUS_1_2_AWS")
		}, "subset"},
		{"no such table", func(e *types.Export) { e.DataQuery.QueryStatement = awssdk.String("SELECT BilledCost FROM FOCUS_9") }, "FOCUS_9"},
		{"a function", func(e *types.Export) {
			e.DataQuery.QueryStatement = awssdk.String("SELECT sum(BilledCost) FROM FOCUS_1_2_AWS")
		}, "subset"},
		{"bad granularity", func(e *types.Export) {
			e.DataQuery.TableConfigurations["FOCUS_1_2_AWS"]["TIME_GRANULARITY"] = "WEEKLY"
		}, "WEEKLY"},
		{"a pair that does not go", func(e *types.Export) {
			dest(e).S3OutputConfigurations.Compression = types.CompressionOptionGzip
		}, "compression"},
		{"a bad name", func(e *types.Export) { e.Name = awssdk.String("two words") }, "name"},
		{"no such bucket", func(e *types.Export) { dest(e).S3Bucket = awssdk.String("absent") }, "bucket"},
		{"somebody's bucket", func(e *types.Export) { dest(e).S3Bucket = awssdk.String("theirs") }, "bucket"},
		{"the wrong region", func(e *types.Export) { dest(e).S3Region = awssdk.String("eu-west-1") }, "region"},
		{"a name that the policy does not name", func(e *types.Export) { e.Name = awssdk.String("other") }, "policy"},
	} {
		t.Run(x.name, func(t *testing.T) {
			e := definition("focus", "bills")
			x.spoil(e)
			_, err := c.bcm.CreateExport(t.Context(), &bcmdataexports.CreateExportInput{Export: e})
			var refused *types.ValidationException
			if !errors.As(err, &refused) || !strings.Contains(refused.ErrorMessage(), x.word) || len(refused.Fields) != 1 {
				t.Errorf("got %v, want a ValidationException that says %q", err, x.word)
			}
		})
	}
	if e := w.Exports(); len(e) != 0 {
		t.Errorf("left: %+v", e)
	}
}

func TestExportPermissions(t *testing.T) {
	for _, missing := range []string{"bcm-data-exports:CreateExport", "bcm-data-exports:TagResource", "cur:PutReportDefinition"} {
		w := newWorld(t, aws.Options{})
		w.ready(payerID, "bills", "focus")
		c := w.as(payerID, "ada", "*")
		w.Deny(w.UserARN(payerID, "ada"), missing)
		_, err := c.bcm.CreateExport(t.Context(), &bcmdataexports.CreateExportInput{Export: definition("focus", "bills"), ResourceTags: []types.ResourceTag{{Key: awssdk.String("k"), Value: awssdk.String("v")}}})
		wantCode(t, err, "AccessDeniedException")
		if !strings.Contains(err.Error(), missing) {
			t.Errorf("the refusal does not name %s: %v", missing, err)
		}
	}
}

func TestPolicyThatHasNotSpread(t *testing.T) {
	w := newWorld(t, aws.Options{PolicyLag: 2})
	w.PlantBucket(payerID, "us-east-1", "bills")
	c := w.as(payerID, "ada", "*")
	must[*s3.PutBucketPolicyOutput](t)(c.s3.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: awssdk.String("bills"), Policy: awssdk.String(exportPolicy("bills", payerID, "focus"))}))
	for range 2 {
		_, err := c.bcm.CreateExport(t.Context(), &bcmdataexports.CreateExportInput{Export: definition("focus", "bills")})
		wantCode(t, err, "ValidationException")
	}
	w.export(c, "focus", "bills")
}

func TestListsThatLag(t *testing.T) {
	w := newWorld(t, aws.Options{ListLag: 2})
	w.ready(payerID, "bills", "focus")
	c := w.as(payerID, "ada", "*")
	w.export(c, "focus", "bills")
	for i, want := range []int{0, 0, 1} {
		list := must[*bcmdataexports.ListExportsOutput](t)(c.bcm.ListExports(t.Context(), &bcmdataexports.ListExportsInput{}))
		if len(list.Exports) != want {
			t.Errorf("look %d sees %d exports, want %d", i, len(list.Exports), want)
		}
	}
}

func TestTables(t *testing.T) {
	w := newWorld(t, aws.Options{})
	c := w.as(payerID, "ada", "*")
	list := must[*bcmdataexports.ListTablesOutput](t)(c.bcm.ListTables(t.Context(), &bcmdataexports.ListTablesInput{}))
	if len(list.Tables) != 3 || *list.Tables[0].TableName != "FOCUS_1_2_AWS" {
		t.Errorf("got %+v", list.Tables)
	}
	table := must[*bcmdataexports.GetTableOutput](t)(c.bcm.GetTable(t.Context(), &bcmdataexports.GetTableInput{TableName: awssdk.String("FOCUS_1_2_AWS"), TableProperties: map[string]string{"TIME_GRANULARITY": "DAILY"}}))
	if len(table.Schema) != 60 || *table.Schema[0].Name != "AvailabilityZone" || table.TableProperties["TIME_GRANULARITY"] != "DAILY" {
		t.Errorf("got %d columns, %v", len(table.Schema), table.TableProperties)
	}
	_, err := c.bcm.GetTable(t.Context(), &bcmdataexports.GetTableInput{TableName: awssdk.String("FOCUS_9")})
	wantCode(t, err, "ValidationException")
}

func TestUpdateExport(t *testing.T) {
	w := newWorld(t, aws.Options{})
	w.ready(payerID, "bills", "focus")
	c := w.as(payerID, "ada", "*")
	arn := w.export(c, "focus", "bills")
	next := definition("focus", "bills")
	next.DataQuery.QueryStatement = awssdk.String("SELECT BilledCost FROM FOCUS_1_2_AWS")
	must[*bcmdataexports.UpdateExportOutput](t)(c.bcm.UpdateExport(t.Context(), &bcmdataexports.UpdateExportInput{ExportArn: &arn, Export: next}))
	if e := w.Exports(); e[0].Query != *next.DataQuery.QueryStatement {
		t.Errorf("got %s", e[0].Query)
	}
	next.DataQuery.TableConfigurations["FOCUS_1_2_AWS"]["TIME_GRANULARITY"] = "HOURLY"
	_, err := c.bcm.UpdateExport(t.Context(), &bcmdataexports.UpdateExportInput{ExportArn: &arn, Export: next})
	wantCode(t, err, "ValidationException")
}
