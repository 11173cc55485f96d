package outlaytest

import (
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	cur "github.com/aws/aws-sdk-go-v2/service/costandusagereportservice"
	curtypes "github.com/aws/aws-sdk-go-v2/service/costandusagereportservice/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func (x accountSuite) refusalsOfOrganizations(t *testing.T) {
	_, err := x.as(x.server.Nobody).org.DescribeOrganization(t.Context(), nil)
	wantCode(t, err, "AccessDeniedException")
	wantNamed(t, err, "organizations:DescribeOrganization")
}

// described checks that a key's organization is the scene's.
func (x accountSuite) described(t *testing.T, k AWSKey) {
	t.Helper()
	out, err := x.as(k).org.DescribeOrganization(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	o := out.Organization
	if *o.MasterAccountId != x.server.Payer || awssdk.ToString(o.MasterAccountEmail) == "" || len(awssdk.ToString(o.Id)) != 12 || o.FeatureSet != "ALL" {
		t.Errorf("got the organization %s of %s, %s, %s", *o.Id, *o.MasterAccountId, awssdk.ToString(o.MasterAccountEmail), o.FeatureSet)
	}
}

// payer and member are told of the same organization.
func (x accountSuite) payer(t *testing.T) { x.described(t, x.server.User) }

func (x accountSuite) member(t *testing.T) { x.described(t, x.server.InMember) }

// accounts: the payer itself is on the list, which goes on as long as there is a token.
func (x accountSuite) accounts(t *testing.T) {
	names := map[string]string{}
	for pages := organizations.NewListAccountsPaginator(x.as(x.server.User).org, &organizations.ListAccountsInput{MaxResults: awssdk.Int32(1)}); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page.Accounts {
			names[*a.Id] = awssdk.ToString(a.Name)
		}
	}
	if len(names) != 2 || names[x.server.Payer] == "" || names[x.server.Member] != AWSSuiteMember {
		t.Errorf("got the accounts %v, want %s and %s, %s", names, x.server.Payer, x.server.Member, AWSSuiteMember)
	}
}

func (x accountSuite) accountsOfMember(t *testing.T) {
	_, err := x.as(x.server.InMember).org.ListAccounts(t.Context(), &organizations.ListAccountsInput{})
	wantCode(t, err, "AccessDeniedException")
}

func (x accountSuite) standalone(t *testing.T) {
	_, err := x.as(x.server.Alone).org.DescribeOrganization(t.Context(), nil)
	wantCode(t, err, "AWSOrganizationsNotInUseException")
}

// reports plants six cost and usage reports, one more than a page of AWS holds, and finds them as they were planted.
func (x accountSuite) reports(t *testing.T) {
	c := x.as(x.server.User).cur
	want := map[string]curtypes.ReportDefinition{}
	for i, name := range []string{"a", "b", "c", "d", "e", "f"} {
		d := curtypes.ReportDefinition{
			ReportName: &name, TimeUnit: curtypes.TimeUnitDaily, Format: curtypes.ReportFormatCsv, Compression: curtypes.CompressionFormatGzip,
			AdditionalSchemaElements: []curtypes.SchemaElement{curtypes.SchemaElementResources}, ReportVersioning: curtypes.ReportVersioningCreateNewReport,
			S3Bucket: &x.server.Bucket, S3Prefix: awssdk.String("cur"), S3Region: curtypes.AWSRegionUsStandard,
		}
		if i%2 == 1 {
			d.Format, d.Compression, d.ReportVersioning = curtypes.ReportFormatParquet, curtypes.CompressionFormatParquet, curtypes.ReportVersioningOverwriteReport
		}
		if _, err := c.PutReportDefinition(t.Context(), &cur.PutReportDefinitionInput{ReportDefinition: &d}); err != nil {
			t.Fatal(err)
		}
		want[name] = d
		_, err := c.PutReportDefinition(t.Context(), &cur.PutReportDefinitionInput{ReportDefinition: &d})
		wantCode(t, err, "DuplicateReportNameException")
	}
	options := cmpopts.IgnoreUnexported(curtypes.ReportDefinition{})
	if diff := cmp.Diff(want, x.planted(t), options); diff != "" {
		t.Error(diff)
	}
	for name := range want {
		if _, err := c.DeleteReportDefinition(t.Context(), &cur.DeleteReportDefinitionInput{ReportName: &name}); err != nil {
			t.Error(err)
		}
	}
	if left := x.planted(t); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

// planted are the reports that the product's own call lists.
func (x accountSuite) planted(t *testing.T) map[string]curtypes.ReportDefinition {
	t.Helper()
	out := map[string]curtypes.ReportDefinition{}
	for pages := cur.NewDescribeReportDefinitionsPaginator(x.as(x.server.User).cur, &cur.DescribeReportDefinitionsInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range page.ReportDefinitions {
			d.ReportStatus, d.RefreshClosedReports = nil, nil // what a server adds on its own
			out[*d.ReportName] = d
		}
	}
	return out
}
