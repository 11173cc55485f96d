package outlay

import (
	"context"
	"time"
)

// ParseJob asks for one delivery's files to be read, normalised and written as FOCUS Parquet. It travels as JSON to a
// child process that holds no secret and opens no network.
type ParseJob struct {
	OrgID    string   `json:"orgId"`
	SourceID string   `json:"sourceId"`
	Files    []string `json:"files"` // local paths, fetched and verified
	Mapping  Mapping  `json:"mapping"`
	// Formats, when there are any, are what the files may be: the parser takes the first whose columns they have, and
	// Mapping for FOCUS files that none of them fits. Files that are nothing of it are CodeInvalid.
	Formats []ParseFormat `json:"formats,omitempty"`
	// Labels gives the original of a tag's value as delivered, by one of the nine keys and then by value; what it does
	// not name stays as it is.
	Labels map[string]map[string]string `json:"labels,omitempty"`
	// LabelsBy is Labels for files of several providers: by what charges call the provider (FOCUS ProviderName), in lower
	// case. A job has the one or the other.
	LabelsBy map[string]map[string]map[string]string `json:"labelsBy,omitempty"`
	// Relabel says that Files are the lake's own, of Period: they are written again with their labels turned back and
	// nothing else changed, unless they hold none; then no period is returned. Mapping and Formats have no part in it.
	Relabel bool `json:"relabel,omitempty"`
	// Period is the only billing month whose rows are accepted; "" accepts any month, each written apart.
	Period Period `json:"period,omitempty"`
	// OutDir is an existing folder that receives the data files and rollups, and a temporary folder while it runs.
	OutDir string `json:"outDir"`
	// Generation begins the name of every file written, so that two versions never share a name.
	Generation string `json:"generation"`
	// MemoryLimit is the engine's own limit in bytes; 0 means 1 GiB.
	MemoryLimit int64 `json:"memoryLimit,omitempty"`
	// Threads is how many cores the engine may use; 0 means all.
	Threads int `json:"threads,omitempty"`
}

// ParseFormat is a kind of bill with how it becomes FOCUS.
type ParseFormat struct {
	ID string `json:"id"` // what a person names it by, such as nimbus/actual-cost
	FileFormat
	Mapping Mapping `json:"mapping"`
	// Joined is the mapping of FileFormat.Together.
	Joined Mapping `json:"joined,omitzero"`
}

// ParsedPeriod is one billing month of a parsed job.
type ParsedPeriod struct {
	Period Period `json:"period"`
	// Format is the ParseFormat that the files were taken for, "" for ParseJob.Mapping.
	Format      string          `json:"format,omitempty"`
	Files       []DataFile      `json:"files"`
	Rollups     []string        `json:"rollups"` // the paths of r1, r2, r3 in this order
	Proof       Proof           `json:"proof"`
	SubAccounts []SubAccountSum `json:"subAccounts"`
	DataThrough time.Time       `json:"dataThrough"` // as Head.DataThrough
}

// Parser turns delivered files into FOCUS files of the lake.
type Parser interface {
	// Parse reads the job's files and writes Parquet under job.OutDir. A file that cannot be read, a missing cost
	// column, a bad value or a row of another month is CodeInvalid naming file, line or row, and column; then nothing
	// in OutDir counts. The periods come in order of time; there is none when the files hold no rows.
	Parse(ctx context.Context, job ParseJob) ([]ParsedPeriod, error)
}
