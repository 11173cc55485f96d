package aws

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"outlay"
	"outlay/simcloud"
	"outlay/simcloud/bill"
)

// reportJobs plans the deliveries of the legacy reports, which follow those of the exports.
func (c *Cloud) reportJobs(now time.Time, raised map[string]bool) []job {
	var out []job
	for _, r := range c.state.Reports {
		if why := c.reportDestination(r); why != "" {
			status := "ERROR_PERMISSIONS"
			if c.state.Buckets[r.Definition.S3Bucket] == nil {
				status = "ERROR_NO_BUCKET"
			}
			r.Run.Executions = append(r.Run.Executions, execution{c.state.UUID(), "DELIVERY_FAILURE", status, now.UTC()})
			continue
		}
		for _, p := range c.periods(&r.Run, now) {
			j := c.job(&r.Run, p, now, raised)
			j.spec.Columns, j.report = nil, true
			j.layout, j.format = bill.ReportCSV, "TEXT_OR_CSV"
			if r.Definition.Format == "Parquet" {
				j.layout, j.format = bill.ReportParquet, "PARQUET"
			}
			out = append(out, j)
		}
		r.Run.Deliveries++
	}
	return out
}

// reportManifest is REPORT-Manifest.json: keys instead of addresses (clouds.md §2.8).
type reportManifest struct {
	AssemblyID    string                 `json:"assemblyId"`
	Account       string                 `json:"account"`
	Columns       []reportManifestColumn `json:"columns"`
	Charset       string                 `json:"charset"`
	Compression   string                 `json:"compression"`
	ContentType   string                 `json:"contentType"`
	ReportID      string                 `json:"reportId"`
	ReportName    string                 `json:"reportName"`
	BillingPeriod manifestPeriod         `json:"billingPeriod"`
	Bucket        string                 `json:"bucket"`
	ReportKeys    []string               `json:"reportKeys"`
	Artifacts     []string               `json:"additionalArtifactKeys"`
}

type reportManifestColumn struct {
	Category string `json:"category"`
	Name     string `json:"name"`
	Type     string `json:"type"`
}

func (c *Cloud) reportByARN(arn string) *report {
	i := slices.IndexFunc(c.state.Reports, func(r *report) bool { return r.Run.ARN == arn })
	if i < 0 {
		return nil
	}
	return c.state.Reports[i]
}

// putReportFiles writes one month of a report: data first, the manifest last. Files of a new version lie in a folder of
// the assembly, those that are overwritten in the month's folder, those for Athena under NAME/year=…/month=….
func (c *Cloud) putReportFiles(j job, files [][]byte, now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.reportByARN(j.arn)
	if r == nil || c.reportDestination(r) != "" {
		return nil
	}
	b := c.state.Buckets[r.Definition.S3Bucket]
	run := execution{c.state.UUID(), "DELIVERY_SUCCESS", "", now.UTC()}
	period := j.spec.Period
	month := r.Run.root() + period.Start().Format("20060102") + "-" + period.End().Format("20060102") + "/"
	m := r.manifest(run.ID, period)
	folder := r.filesFolder(month, run.ID, period)
	for i, data := range files {
		key := folder + j.fileName(i+1)
		if _, err := c.store(b, key, data, now); err != nil {
			return err
		}
		m.ReportKeys = append(m.ReportKeys, key)
	}
	body, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	at := now.UTC().Truncate(time.Second)
	if last := r.Run.Manifests[string(period)]; !at.After(last) {
		at = last.Add(time.Second)
	}
	for _, key := range []string{month + run.ID + "/" + j.name + "-Manifest.json", month + j.name + "-Manifest.json"} {
		if _, err := c.store(b, key, body, at); err != nil {
			return err
		}
	}
	r.Run.Manifests[string(period)] = at
	r.Run.recordDelivery(string(period), j.spec.Through, period.End(), run)
	return simcloud.Save(c.opt.Dir, c.state)
}

func (r *report) manifest(assembly string, p outlay.Period) reportManifest {
	stamp := func(t time.Time) string { return t.Format("20060102T150405.000Z") }
	return reportManifest{
		AssemblyID: assembly, Account: r.Run.Account, Charset: "UTF-8", Compression: r.Definition.Compression, ContentType: r.Definition.Format,
		ReportID: r.Run.ARN, ReportName: r.Definition.ReportName, BillingPeriod: manifestPeriod{stamp(p.Start()), stamp(p.End())},
		Bucket: r.Definition.S3Bucket, Artifacts: []string{}, Columns: []reportManifestColumn{{"lineItem", "UnblendedCost", "OptionalBigDecimal"}},
	}
}

func (r *report) filesFolder(month, assembly string, p outlay.Period) string {
	switch {
	case slices.Contains(r.Definition.AdditionalArtifacts, "ATHENA"):
		return r.Run.root() + r.Definition.ReportName + fmt.Sprintf("/year=%d/month=%d/", p.Start().Year(), p.Start().Month())
	case r.Definition.ReportVersioning == "OVERWRITE_REPORT":
		return month
	}
	return month + assembly + "/"
}
