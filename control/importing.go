package control

import (
	"context"

	"outlay"
)

// ImportRequest loads FOCUS files that no provider delivered.
type ImportRequest struct {
	OrgID, UserID string // set by the verb
	Name          string // of the source; "" takes the first file's name
	Files         []ImportFile
}

// ImportFile is one file on this machine and what it was called by the person.
type ImportFile struct{ Name, Path string }

// ImportResult says what was loaded.
type ImportResult struct {
	SourceID string         `json:"sourceId"`
	Name     string         `json:"name"`
	Already  bool           `json:"already"` // the same content was loaded before; nothing changed
	Rows     int64          `json:"rows"`
	Periods  []ImportPeriod `json:"periods"`
	// Unknown columns are kept aside; Missing ones stay empty.
	Unknown []string `json:"unknownColumns,omitempty"`
	Missing []string `json:"missingColumns,omitempty"`
	Notes   []string `json:"notes,omitempty"`
}

// ImportPeriod is one billing month of an import.
type ImportPeriod struct {
	Period outlay.Period                        `json:"period"`
	Rows   int64                                `json:"rows"`
	Sums   map[string]map[outlay.Measure]string `json:"sums"` // by currency
}

// ImportFiles loads files whole or not at all.
func (c *Control) ImportFiles(ctx context.Context, a outlay.Actor, r ImportRequest) (ImportResult, error) {
	if err := c.must(ctx, a, outlay.CostsImport, "import "+r.Name); err != nil {
		return ImportResult{}, err
	}
	if len(r.Files) == 0 {
		return ImportResult{}, outlay.Errorf(outlay.CodeInvalid, "Name at least one file.", "there is no file to import").InField("files")
	}
	r.OrgID, r.UserID = a.OrgID, a.UserID
	res, err := c.deps.Importer.ImportFiles(ctx, r)
	if err != nil {
		return res, err
	}
	return res, c.deps.Store.ForOrg(ctx, a.OrgID, func(tx outlay.Tx) error {
		return c.note(ctx, tx, a, outlay.CostsImport, "source "+res.Name, "imported")
	})
}
