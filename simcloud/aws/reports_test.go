package aws_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	cur "github.com/aws/aws-sdk-go-v2/service/costandusagereportservice"
	"github.com/aws/aws-sdk-go-v2/service/costandusagereportservice/types"

	"outlay/simcloud/aws"
)

// legacy is a report definition into bucket b.
func legacy(name, b string) *types.ReportDefinition {
	return &types.ReportDefinition{
		ReportName: &name, TimeUnit: types.TimeUnitDaily, Format: types.ReportFormatCsv, Compression: types.CompressionFormatGzip,
		AdditionalSchemaElements: []types.SchemaElement{types.SchemaElementResources}, S3Bucket: &b, S3Prefix: awssdk.String("cur"), S3Region: types.AWSRegionUsStandard,
		ReportVersioning: types.ReportVersioningCreateNewReport,
	}
}

func TestReportDefinitions(t *testing.T) {
	w := newWorld(t, aws.Options{})
	c := w.as(payerID, "ada", "*")
	w.SetUp(aws.Setup{Account: payerID, Region: "us-east-1", Bucket: "reports", Prefix: "cur", Name: "first", CSV: true})
	put := func(d *types.ReportDefinition) error {
		return only(c.cur.PutReportDefinition(t.Context(), &cur.PutReportDefinitionInput{ReportDefinition: d}))
	}
	if err := put(legacy("second", "reports")); err != nil {
		t.Fatal(err)
	}
	wantCode(t, put(legacy("second", "reports")), "DuplicateReportNameException")
	wantCode(t, put(legacy("third", "elsewhere")), "ValidationException")
	odd := legacy("third", "reports")
	odd.Compression = types.CompressionFormatParquet
	wantCode(t, put(odd), "ValidationException")
	for i := range 6 {
		if err := put(legacy("more-"+string(rune('a'+i)), "reports")); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	for pages := cur.NewDescribeReportDefinitionsPaginator(c.cur, &cur.DescribeReportDefinitionsInput{}); pages.HasMorePages(); {
		page := must[*cur.DescribeReportDefinitionsOutput](t)(pages.NextPage(t.Context()))
		if len(page.ReportDefinitions) > 5 {
			t.Errorf("a page of %d", len(page.ReportDefinitions))
		}
		for _, d := range page.ReportDefinitions {
			names = append(names, *d.ReportName)
		}
	}
	if len(names) != 8 || names[0] != "first" || names[1] != "second" {
		t.Errorf("reports: %v", names)
	}
	must[*cur.DeleteReportDefinitionOutput](t)(c.cur.DeleteReportDefinition(t.Context(), &cur.DeleteReportDefinitionInput{ReportName: awssdk.String("second")}))
	if left := must[*cur.DescribeReportDefinitionsOutput](t)(c.cur.DescribeReportDefinitions(t.Context(), &cur.DescribeReportDefinitionsInput{})); *left.ReportDefinitions[1].ReportName == "second" {
		t.Error("it was not deleted")
	}
	_, err := w.clients(c.cred, "eu-west-1").cur.DescribeReportDefinitions(t.Context(), &cur.DescribeReportDefinitionsInput{})
	wantCode(t, err, "UnrecognizedClientException") // the service has one region
}

// Each kind of report lays its files out in its own way; all of them name every file in the manifest of the month.
func TestReportLayouts(t *testing.T) {
	w := newWorld(t, aws.Options{RowsPerMonth: 60})
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	for name, s := range map[string]aws.Setup{
		"new-csv": {CSV: true, CreateNew: true}, "same-csv": {CSV: true}, "new-parquet": {CreateNew: true}, "athena": {Athena: true},
	} {
		s.Account, s.Region, s.Bucket, s.Prefix, s.Name = payerID, "us-east-1", "reports", "cur", name
		w.SetUp(s)
	}
	for range 2 {
		if err := w.Deliver(t.Context(), now); err != nil {
			t.Fatal(err)
		}
		now = now.Add(8 * time.Hour)
	}
	for name, want := range map[string]string{
		"new-csv": "cur/new-csv/20261101-20261201/", "same-csv": "cur/same-csv/20261101-20261201/same-csv-", "new-parquet": "cur/new-parquet/20261101-20261201/",
		"athena": "cur/athena/athena/year=2026/month=11/athena-",
	} {
		var m struct {
			AssemblyID string
			ReportKeys []string
			Bucket     string
		}
		body := w.Object("reports", "cur/"+name+"/20261101-20261201/"+name+"-Manifest.json")
		if err := json.Unmarshal(body, &m); err != nil || m.Bucket != "reports" || len(m.ReportKeys) < 2 {
			t.Fatalf("%s: %v, %s", name, err, body)
		}
		for _, key := range m.ReportKeys {
			if !strings.HasPrefix(key, want) || w.Object("reports", key) == nil {
				t.Errorf("%s: %s", name, key)
			}
			if strings.HasPrefix(name, "new") != strings.Contains(key, "/"+m.AssemblyID+"/") {
				t.Errorf("%s: a folder of the assembly only where each version is kept: %s", name, key)
			}
		}
	}
	defs := must[*cur.DescribeReportDefinitionsOutput](t)(w.as(payerID, "ada", "*").cur.DescribeReportDefinitions(t.Context(), &cur.DescribeReportDefinitionsInput{}))
	if st := defs.ReportDefinitions[0].ReportStatus; st == nil || st.LastStatus != types.LastStatusSuccess || *st.LastDelivery != "20261120T170000Z" {
		t.Errorf("status: %+v", st)
	}
	w.RemoveBucket("reports")
	if err := w.Deliver(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	defs = must[*cur.DescribeReportDefinitionsOutput](t)(w.as(payerID, "ada", "*").cur.DescribeReportDefinitions(t.Context(), &cur.DescribeReportDefinitionsInput{}))
	if st := defs.ReportDefinitions[0].ReportStatus; st.LastStatus != types.LastStatusErrorNoBucket {
		t.Errorf("status without a bucket: %+v", st)
	}
}
