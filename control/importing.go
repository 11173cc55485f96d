package control

import (
	"context"

	"outlay"
)

// ImportRequest loads files that no provider delivered.
type ImportRequest struct {
	OrgID, UserID string // set by the verb
	Name          string // of the source; "" takes the first file's name
	Files         []ImportFile
	// Format is an ID of ImportFormats; "" finds it out by the columns.
	Format string
	// Formats are what the files may be besides FOCUS; set by the verb.
	Formats []outlay.ParseFormat
}

// FormatFocus is the ID of FOCUS files, of any version from 1.0 to 1.4 and of any provider.
const FormatFocus = "focus"

// ImportFormat is a kind of bill that can be imported as files.
type ImportFormat struct {
	ID    string `json:"id"` // nimbus/actual-cost
	Title string `json:"title"`
	// Columns all occur in such files, in any letter case.
	Columns []string `json:"columns"`
	// Together tells that such files and others of the provider make one bill in one import.
	Together bool `json:"together,omitempty"`
}

// ImportFile is one file on this machine and what it was called by the person.
type ImportFile struct{ Name, Path string }

// ImportResult says what was loaded.
type ImportResult struct {
	SourceID string         `json:"sourceId"`
	Name     string         `json:"name"`
	Format   string         `json:"format"`  // FormatFocus, an ID of ImportFormats, or what several make together
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

// ImportFormats lists what can be imported: FOCUS, and what each provider's bills look like as files.
func (c *Control) ImportFormats(_ context.Context, a outlay.Actor) ([]ImportFormat, error) {
	if err := a.Must(outlay.CostsImport); err != nil {
		return nil, err
	}
	focus := ImportFormat{ID: FormatFocus, Title: "FOCUS 1.0 to 1.4"}
	for _, m := range outlay.Measures() {
		focus.Columns = append(focus.Columns, string(m))
	}
	out := []ImportFormat{focus}
	for _, p := range c.deps.Providers {
		for _, f := range p.About().FileFormats {
			out = append(out, ImportFormat{ID: formatID(p, f.Format), Title: f.Title, Columns: f.Columns, Together: f.Together != ""})
		}
	}
	return out, nil
}

func formatID(p outlay.Provider, format string) string { return string(p.Name()) + "/" + format }

// parseFormats are the formats of all providers with their mappings; with an ID, those of that ID alone, whatever the
// files are called.
func (c *Control) parseFormats(id string) ([]outlay.ParseFormat, error) {
	var out []outlay.ParseFormat
	if id == FormatFocus {
		return nil, nil
	}
	for _, p := range c.deps.Providers {
		for _, f := range p.About().FileFormats {
			one := outlay.ParseFormat{ID: formatID(p, f.Format), FileFormat: f}
			if id != "" && one.ID != id {
				continue
			}
			if id != "" {
				one.Name = ""
			}
			var err error
			if one.Mapping, err = p.Mapping(f.Format); err != nil {
				return nil, err
			}
			if f.Together != "" {
				if one.Joined, err = p.Mapping(f.Together); err != nil {
					return nil, err
				}
			}
			out = append(out, one)
		}
	}
	if id != "" && len(out) == 0 {
		return nil, outlay.Errorf(outlay.CodeInvalid, "Choose one of the list of import formats, or leave it out.", "%q is not a format of files", id).InField("format")
	}
	return out, nil
}

// ImportFiles loads files whole or not at all.
func (c *Control) ImportFiles(ctx context.Context, a outlay.Actor, r ImportRequest) (ImportResult, error) {
	if err := c.must(ctx, a, outlay.CostsImport, "import "+r.Name); err != nil {
		return ImportResult{}, err
	}
	if len(r.Files) == 0 {
		return ImportResult{}, outlay.Errorf(outlay.CodeInvalid, "Name at least one file.", "there is no file to import").InField("files")
	}
	var err error
	if r.Formats, err = c.parseFormats(r.Format); err != nil {
		return ImportResult{}, err
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
