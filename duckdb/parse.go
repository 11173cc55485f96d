package duckdb

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"outlay"
)

// parsing is one job on its way: scan what the files hold, write each month, prove it, roll it up.
type parsing struct {
	job     outlay.ParseJob
	db      *sql.DB
	temp    string
	batches []batch
	phases  *phases

	format, title string // what the files were taken for, where that was to be found out
}

// parse runs a job in this process. Outside tests it runs in a child only.
func parse(ctx context.Context, job outlay.ParseJob, ph *phases) (periods []outlay.ParsedPeriod, err error) {
	if err := checkJob(job); err != nil {
		return nil, err
	}
	p := &parsing{job: job, phases: ph}
	p.temp, err = os.MkdirTemp(job.OutDir, ".parse-")
	if err != nil {
		return nil, diskOr(err, "making a temporary folder")
	}
	defer func() { err = errors.Join(err, os.RemoveAll(p.temp)) }()
	if job.Relabel {
		return p.relabel(ctx)
	}
	inputs := make([]input, len(job.Files))
	for i, f := range job.Files {
		if inputs[i], err = inspect(f, p.temp, i); err != nil {
			return nil, err
		}
	}
	var paths []string
	for _, in := range inputs {
		paths = append(paths, in.path)
	}
	if err := p.open(ctx, paths); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.db.Close()) }()
	if err := p.putLabels(ctx); err != nil {
		return nil, err
	}
	if p.batches, err = batches(ctx, p.db, inputs); err != nil {
		return nil, err
	}
	if err := p.choose(); err != nil {
		return nil, err
	}
	return p.run(ctx)
}

func checkJob(job outlay.ParseJob) error {
	switch {
	case len(job.Files) == 0:
		return outlay.Errorf(outlay.CodeInvalid, "Name at least one file.", "the parse job names no file")
	case job.OutDir == "" || !filepath.IsAbs(job.OutDir):
		return outlay.Errorf(outlay.CodeInternal, "", "the parse job's output folder must be an absolute path")
	case job.Generation == "" || job.Generation != filepath.Base(job.Generation):
		return outlay.Errorf(outlay.CodeInternal, "", "the parse job's generation %q is no file name", job.Generation)
	case job.Mapping.SQL == "" && len(job.Formats) == 0 && !job.Relabel:
		return outlay.Errorf(outlay.CodeInternal, "", "the parse job has no mapping")
	case len(job.Labels) > 0 && len(job.LabelsBy) > 0:
		return outlay.Errorf(outlay.CodeInternal, "", "the parse job has labels of one provider and of several")
	}
	return nil
}

// open starts the engine and shuts it in: the job's files to read, the output folder to write, nothing else.
func (p *parsing) open(ctx context.Context, files []string) error {
	threads := cmp.Or(p.job.Threads, runtime.NumCPU())
	db, err := openEngine(ctx, []string{
		fmt.Sprintf("SET memory_limit='%dMiB'", memoryOf(p.job)>>20), fmt.Sprintf("SET threads=%d", threads),
		"SET temp_directory=" + text(filepath.Join(p.temp, "spill")),
		"SET allowed_paths=" + texts(files), "SET allowed_directories=" + texts([]string{p.job.OutDir}),
		"SET enable_external_access=false", fmt.Sprintf("SET preserve_insertion_order=%t", p.job.Relabel),
	})
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1) // temporary views belong to a connection
	p.db = db
	if err := registerRounding(ctx, db); err != nil {
		return errors.Join(err, db.Close())
	}
	if _, err := db.ExecContext(ctx, "SET lock_configuration=true"); err != nil {
		return errors.Join(fmt.Errorf("locking the engine: %w", err), db.Close())
	}
	return nil
}

// run does the job's stages.
func (p *parsing) run(ctx context.Context) ([]outlay.ParsedPeriod, error) {
	months := map[outlay.Period]*month{}
	for i, b := range p.batches {
		if err := createViews(ctx, p.db, b, p.job.Mapping); err != nil {
			return nil, p.diagnose(ctx, b, err)
		}
		if err := p.scan(ctx, b, months); err != nil {
			return nil, err
		}
		same, err := p.findConstants(ctx)
		if err != nil {
			return nil, p.diagnose(ctx, b, err)
		}
		p.batches[i].constants = same
	}
	p.phases.done("scan")
	order := slices.SortedFunc(maps.Values(months), func(a, b *month) int { return cmp.Compare(a.period, b.period) })
	if err := p.whole(order); err != nil {
		return nil, err
	}
	for _, m := range order {
		m.tags = planTags(m.keys, p.job.Mapping)
	}
	for i, b := range p.batches {
		if len(p.batches) > 1 { // with one, its views still stand
			if err := createViews(ctx, p.db, b, p.job.Mapping); err != nil {
				return nil, p.diagnose(ctx, b, err)
			}
		}
		for _, m := range order {
			if err := p.write(ctx, i, m, len(order) == 1); err != nil {
				return nil, p.diagnose(ctx, b, err)
			}
		}
	}
	p.phases.done("lake")
	var out []outlay.ParsedPeriod
	for _, m := range order {
		parsed, err := p.finish(ctx, m)
		if err != nil {
			return nil, err
		}
		out = append(out, parsed)
	}
	return out, nil
}

// finish proves a written month and rolls it up.
func (p *parsing) finish(ctx context.Context, m *month) (outlay.ParsedPeriod, error) {
	parsed := outlay.ParsedPeriod{Period: m.period, Files: m.files, DataThrough: m.through}
	proof, accounts, err := p.prove(ctx, m)
	if err != nil {
		return parsed, err
	}
	p.phases.done("prove")
	if p.format != "" {
		proof.Notes = append([]string{"Read as " + p.title + "."}, proof.Notes...)
	}
	parsed.Format, parsed.Proof, parsed.SubAccounts = p.format, proof, accounts
	parsed.Rollups, err = p.rollUpAll(ctx, m)
	p.phases.done("rollup")
	return parsed, err
}

// rollUpAll writes a month's rollups and returns their paths.
func (p *parsing) rollUpAll(ctx context.Context, m *month) ([]string, error) {
	var out []string
	for _, r := range rollups() {
		path := filepath.Join(p.job.OutDir, fmt.Sprintf("%s-%s-%s.parquet", p.job.Generation, m.period, r.name))
		if err := p.rollUp(ctx, m, r, path); err != nil {
			return nil, err
		}
		out = append(out, path)
	}
	return out, nil
}

// diskOr is a full disk as CodeUnavailable, and any other failure wrapped.
func diskOr(err error, doing string) error {
	if isDiskFull(err) {
		return diskFull(err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// month is what one billing month of a job holds.
type month struct {
	period  outlay.Period
	rows    int64
	rounded int64
	blank   [2]int64                             // rows without a measure of blanks
	read    map[string]map[outlay.Measure]string // sums while reading
	halves  map[string]bool                      // IDs of the kinds of files that hold it, where several make one bill
	keys    []string                             // tag keys as delivered
	tags    tagPlan
	through time.Time
	files   []outlay.DataFile
}
