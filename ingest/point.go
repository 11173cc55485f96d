package ingest

// Names of the points at which a crash matters, in the order in which a load passes them.
const (
	pointClaimed   = "ingest.claimed"   // the task is ours, nothing is written
	pointLoading   = "ingest.loading"   // the unit says that it is being loaded
	pointFetched   = "ingest.fetched"   // the files lie in staging, verified
	pointStaged    = "ingest.staged"    // the generation has a folder
	pointParsed    = "ingest.parsed"    // FOCUS files and rollups are written
	pointProved    = "ingest.proved"    // both sums agree
	pointCommitted = "ingest.committed" // the lake has a snapshot; nobody reads it yet
	pointPublished = "ingest.published" // the head has moved
	pointAligned   = "ingest.aligned"   // the lake's current snapshot agrees with the head
	pointTold      = "ingest.told"      // statuses are refreshed
	pointCleaned   = "ingest.cleaned"   // staging is empty; the task is not finished yet

	pointImportCopied    = "import.copied"
	pointImportParsed    = "import.parsed"
	pointImportProved    = "import.proved"
	pointImportCommitted = "import.committed" // once per month
	pointImportPublished = "import.published" // every month at once
	pointImportAligned   = "import.aligned"

	pointHistoryForgotten = "history.forgotten" // the heads are gone
	pointHistoryRemoved   = "history.removed"   // so are the files

	pointLabelWritten   = "label.written"   // a month's files are written again, and proved
	pointLabelCommitted = "label.committed" // the lake has a snapshot; nobody reads it yet
	pointLabelPublished = "label.published" // the head names the new files
)

// Points lists every point, for sweeps.
func Points() []string {
	return []string{
		pointClaimed, pointLoading, pointFetched, pointStaged, pointParsed, pointProved, pointCommitted, pointPublished,
		pointAligned, pointTold, pointCleaned,
		pointImportCopied, pointImportParsed, pointImportProved, pointImportCommitted, pointImportPublished, pointImportAligned,
		pointHistoryForgotten, pointHistoryRemoved,
		pointLabelWritten, pointLabelCommitted, pointLabelPublished,
	}
}
