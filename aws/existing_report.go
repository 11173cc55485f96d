package aws

import (
	"context"
	"strings"

	"outlay"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	cur "github.com/aws/aws-sdk-go-v2/service/costandusagereportservice"
	"github.com/aws/aws-sdk-go-v2/service/costandusagereportservice/types"
)

// reportDefinitions are the account's cost and usage reports of the older kind. The service is not pinned to its one
// region by the SDK: the session's region is that one (clouds.md §2.2).
func (ses session) reportDefinitions(ctx context.Context) ([]types.ReportDefinition, error) {
	var out []types.ReportDefinition
	pages := cur.NewDescribeReportDefinitionsPaginator(ses.reports(), &cur.DescribeReportDefinitionsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failure(err, call{Action: "cur:DescribeReportDefinitions", Resource: "*", Doing: "listing the cost and usage reports"})
		}
		out = append(out, page.ReportDefinitions...)
	}
	return out, nil
}

// reports are the cost and usage reports of the older kind.
func (f finder) reports(ctx context.Context) ([]outlay.Existing, error) {
	all, err := f.ses.reportDefinitions(ctx)
	if err != nil {
		return nil, err
	}
	var out []outlay.Existing
	for _, r := range all {
		x := reportFound(r, f.ses.Partition, f.account)
		e := x.existing()
		if e.Why == "" {
			if e.Why, err = f.reads(ctx, x.at); err != nil {
				return nil, err
			}
		}
		out = append(out, e)
	}
	return out, nil
}

// reportFound describes a report. Reports have no ARN in the API; theirs is the one that policies name.
func reportFound(r types.ReportDefinition, partition, account string) found {
	x := found{title: "Cost and Usage Report (legacy)", at: location{
		Export: sdk.ToString(r.ReportName), Bucket: sdk.ToString(r.S3Bucket), Region: string(r.S3Region), Prefix: strings.Trim(sdk.ToString(r.S3Prefix), "/"),
		Account: account, Layout: layoutReport, Format: formatReportCSV, Files: filesCSV,
	}}
	x.id = "arn:" + partition + ":cur:" + serviceRegion(partition) + ":" + account + ":definition/" + x.at.Export
	if r.Format == types.ReportFormatParquet {
		x.at.Format, x.at.Files = formatReportParquet, filesParquet
	}
	x.detail = []string{strings.ToLower(string(r.TimeUnit)), fileText(x.at.Files), modeText(string(r.ReportVersioning))}
	if r.Compression == types.CompressionFormatZip {
		x.detail[1] = "CSV, zipped"
		x.why = "Its files are ZIP archives, which Outlay does not open. Change the report's compression to GZIP or Parquet in the AWS console."
	}
	return x
}
