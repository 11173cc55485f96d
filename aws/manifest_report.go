package aws

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"outlay"
)

// reportManifest is what we need of the manifest of a legacy cost and usage report (clouds.md §2.8).
type reportManifest struct {
	AssemblyID  string   `json:"assemblyId"`
	Bucket      string   `json:"bucket"`
	Compression string   `json:"compression"` // GZIP, ZIP or Parquet
	ReportKeys  []string `json:"reportKeys"`  // keys, not addresses
}

// reportKeys are the checked keys of the data files that a legacy report's manifest lists.
func reportKeys(body []byte, at location, period outlay.Period) ([]string, error) {
	if err := checkManifest(body, "assemblyId", "bucket", "compression", "reportKeys"); err != nil {
		return nil, err
	}
	var m reportManifest
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, badManifest("%v", err)
	}
	if m.ReportKeys == nil {
		return nil, badManifest("it does not say what was delivered (reportKeys)")
	}
	return m.dataKeys(at, period)
}

// dataKeys checks every key against where the report delivers: bucket and folder come from what was imported, never
// from the manifest (M23). Files lie in the month's folder, in a folder of the assembly within it, or, as the Athena
// integration has it, under NAME/year=2026/month=11.
func (m reportManifest) dataKeys(at location, period outlay.Period) ([]string, error) {
	if m.Bucket != "" && m.Bucket != at.Bucket {
		return nil, badManifest("it names the bucket %q, which is not the report's", clip(m.Bucket, 80))
	}
	if strings.EqualFold(m.Compression, "ZIP") {
		return nil, outlay.Errorf(outlay.CodeInvalid, "Change the report's compression to GZIP or Parquet in the AWS console.", "the report %s delivers ZIP archives, which Outlay does not open", at.Export)
	}
	month := at.base() + reportFolder(period) + "/"
	athena := at.base() + at.Export + "/" + fmt.Sprintf("year=%d/month=%d/", period.Start().Year(), period.Start().Month())
	seen := map[string]bool{}
	var keys []string
	for _, key := range m.ReportKeys {
		if err := checkKeyText(key); err != nil {
			return nil, err
		}
		switch {
		case !strings.HasPrefix(key, month) && !strings.HasPrefix(key, athena):
			return nil, badManifest("%q is outside the report's folder of %s", clip(key, 200), period)
		case !strings.HasSuffix(key, at.ending()):
			return nil, badManifest("%q is not a file that ends in %s", clip(key, 200), at.ending())
		case seen[key]:
			return nil, badManifest("%q is listed twice", clip(key, 200))
		}
		seen[key] = true
		keys = append(keys, key)
	}
	return keys, nil
}

// monthFolder is the folder of a month of a legacy report: its first day and the next month's.
var monthFolder = regexp.MustCompile(`^([0-9]{8})-([0-9]{8})$`)

// periodOfReport is the month that a folder of a legacy report is for, or "".
func periodOfReport(folder string) outlay.Period {
	m := monthFolder.FindStringSubmatch(folder)
	if m == nil {
		return ""
	}
	start, err := time.Parse("20060102", m[1])
	if err != nil {
		return ""
	}
	if p := outlay.PeriodOf(start); reportFolder(p) == folder {
		return p
	}
	return ""
}

func reportFolder(p outlay.Period) string {
	return p.Start().Format("20060102") + "-" + p.End().Format("20060102")
}
