package google

import (
	"context"

	"outlay"
)

// isImported tells whether a source reads an export that somebody else set up: it is never changed.
func isImported(s *outlay.Source) bool { return s != nil && s.Origin == outlay.OriginImported }

// importedTable is what an imported source reads, by the fields that Existing gave. They travelled through a request, so
// each is checked again.
func importedTable(s *outlay.Source) (tableRef, error) {
	bad := func(field, value string) error {
		return outlay.Errorf(outlay.CodeInvalid, "List the existing exports and choose one of them again.", "the export cannot be imported: %q is not a value for its %s", clip(value, 80), field).InField(field)
	}
	if s.Spec == nil {
		return tableRef{}, bad(fieldTable, "")
	}
	f := s.Spec.Fields
	kind, _ := readTableName(f[fieldTable])
	switch {
	case !projectText.MatchString(f[fieldProject]):
		return tableRef{}, bad(fieldProject, f[fieldProject])
	case !datasetText.MatchString(f[fieldDataset]):
		return tableRef{}, bad(fieldDataset, f[fieldDataset])
	case kind == "":
		return tableRef{}, bad(fieldTable, f[fieldTable])
	}
	return tableRef{Project: f[fieldProject], Dataset: f[fieldDataset], Table: f[fieldTable], Kind: kind}, nil
}

// imported looks at the table of an export that somebody else set up. Nothing is compared with a wish, for nothing of it
// is ours.
func (o *observer) imported(ctx context.Context) {
	if !o.wants(kindTable) {
		return
	}
	t, err := importedTable(o.s)
	if err != nil {
		o.unknown(string(kindTable), err)
		return
	}
	o.n = names{Project: t.Project, Dataset: t.Dataset, Table: t.Table, Export: t.Kind}
	got, err := o.ses.getTable(ctx, t.Project, t.Dataset, t.Table)
	switch {
	case isGone(err):
		o.add(outlay.Resource{
			Kind: kindTable, Name: t.Table, State: outlay.StateMissing, Origin: outlay.PreExisting,
			LastError: "the table is gone, or this credential may not see it any more",
		})
		o.note("warn", "The table "+t.full()+" does not exist any more: nothing new will arrive. What was loaded stays.")
	case err != nil:
		o.unknown(string(kindTable), err)
	default:
		o.table = t.with(got)
		r := o.p.exportResource(t.Table, o.table, got)
		r.Origin = outlay.PreExisting
		o.add(r)
		o.progress(o.table, got)
	}
}
