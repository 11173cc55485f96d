package azure

import (
	"context"
	"path"
	"strings"
	"time"

	"outlay"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/costmanagement/armcostmanagement/v3"
)

// Exports that somebody set up without file partitioning write one file a run, {root}/{name}/{days}/{name}_{run}.csv,
// and no manifest; those of the older API write a manifest that does not say of what run it is. The history of the
// export says it: a file counts when its run is the last that was completed for its month, and nobody wrote the file
// after that run. The file is one blob, which is there as a whole or not at all, and Fetch pins it to its entity tag.
//
// What the history does not tell is not read. Azure remembers the newest runs only, so that months whose runs it forgot
// stay out: of several files in a folder nothing else says which run was the last, or whether it was completed.

// completedRun is a run that delivered a whole month.
type completedRun struct {
	id, dataset      string
	file, manifest   string // names in the container; the manifest may be ""
	period           outlay.Period
	submitted, ended time.Time
	elsewhere        bool // it was delivered to another place than the export's of this source
}

// addRuns adds what the export's history tells to what the folder does.
func (r reader) addRuns(ctx context.Context, e exportPlace, f *found) error {
	runs, err := r.completedRuns(ctx, e)
	if err != nil {
		return err
	}
	for _, run := range runs {
		if err := f.add(r.deliveryOf(e, run, *f)); err != nil {
			return err
		}
	}
	return nil
}

// completedRuns are the last completed runs of each month. An export that is gone has none.
func (r reader) completedRuns(ctx context.Context, e exportPlace) (map[outlay.Period]completedRun, error) {
	client, err := r.ses.exports()
	if err != nil {
		return nil, err
	}
	got, err := client.GetExecutionHistory(ctx, r.at.Scope, e.Name, nil)
	if isGone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, failure(err, exportCall(actExportRead, r.at.Scope, "reading the runs of the export "+e.Name))
	}
	out := map[outlay.Period]completedRun{}
	for _, one := range got.Value {
		run, ok := r.completed(e, one)
		if old := out[run.period]; ok && run.submitted.After(old.submitted) {
			out[run.period] = run
		}
	}
	return out, nil
}

// completed is a run of the history; not ok for one that was not completed, or did not hold a whole month.
func (r reader) completed(e exportPlace, one *armcostmanagement.ExportRun) (completedRun, bool) {
	if one == nil || one.Properties == nil || !strings.EqualFold(text(one.Properties.Status), string(armcostmanagement.ExecutionStatusCompleted)) {
		return completedRun{}, false
	}
	p := one.Properties
	start, end := when(p.StartDate), when(p.EndDate)
	run := completedRun{
		id: text(one.Name), dataset: e.Dataset, period: outlay.PeriodOf(start), submitted: when(p.SubmittedTime), ended: when(p.ProcessingEndTime),
		file: strings.Trim(text(p.FileName), "/"), manifest: strings.Trim(text(p.ManifestFile), "/"),
	}
	if s := p.RunSettings; s != nil {
		if s.Definition != nil {
			run.dataset = orElse(text(s.Definition.Type), run.dataset)
		}
		if s.DeliveryInfo != nil && s.DeliveryInfo.Destination != nil {
			run.elsewhere = !r.isHere(e, *s.DeliveryInfo.Destination)
		}
	}
	return run, outlay.PeriodOf(end) == run.period && !run.submitted.IsZero() && wholeMonth(start, end, run.submitted)
}

// isHere tells whether a destination is where the source's export delivers.
func (r reader) isHere(e exportPlace, to armcostmanagement.ExportDeliveryDestination) bool {
	return strings.EqualFold(strings.Trim(text(to.ResourceID), "/"), strings.Trim(r.at.StorageID, "/")) && text(to.Container) == r.at.Container &&
		strings.Trim(text(to.RootFolderPath), "/") == e.Root
}

// deliveryOf is what a run delivered; not ok when it is not here any more, or the folder tells by itself.
func (r reader) deliveryOf(e exportPlace, run completedRun, f found) (outlay.Delivery, bool, error) {
	d := outlay.Delivery{Period: run.period, Version: run.submitted, ID: run.id, Format: formatOf(run.dataset), Rows: -1}
	if run.elsewhere || d.Format == "" {
		return d, false, nil
	}
	for name, m := range f.bare {
		if !run.lists(name) || !run.wrote(f.blobs[name]) {
			continue
		}
		m = m.inFolder(path.Dir(name))
		if err := m.check(r.at, e); err != nil {
			return d, false, inManifest(err, name)
		}
		d.Rows = m.rows()
		return sealed(d, f.blobs[name], m.files(f.blobs)), true, nil
	}
	file, there := f.blobs[run.file]
	if !e.Single || !there || file.size <= 0 || !run.wrote(file) || checkBlobName(run.file, e.prefix()) != nil {
		return d, false, nil
	}
	return sealed(d, file, []outlay.DeliveryFile{{Key: file.name, ETag: file.etag, Size: file.size}}), true, nil
}

// lists tells whether a manifest is of the run: the history names it, or it lies in the run's own folder.
func (run completedRun) lists(manifest string) bool {
	return run.manifest == manifest || run.id != "" && path.Base(path.Dir(manifest)) == run.id
}

// wrote tells whether a blob is as the run left it. One that is younger was written by another, of which is not known
// yet how it ends.
func (run completedRun) wrote(b blobState) bool {
	return !b.modified.Before(run.submitted.Add(-blobSkew)) && !b.modified.After(run.ended.Add(blobSkew))
}

// blobSkew is how far the clocks of Azure's storage and of Cost Management may be apart.
const blobSkew = 5 * time.Minute

// inFolder is a manifest whose files are named within the container: the older ones name them within their folder.
func (m manifest) inFolder(folder string) manifest {
	var list []manifestBlob
	for _, b := range m.Blobs {
		if b.BlobName != "" && !strings.Contains(b.BlobName, "/") {
			b.BlobName = folder + "/" + b.BlobName
		}
		list = append(list, b)
	}
	m.Blobs = list
	return m
}
