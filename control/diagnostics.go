package control

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"

	"outlay"
)

// Diagnosis is what a diagnostics bundle tells about the program itself.
type Diagnosis struct {
	Version string
	// Recent is what the program logged of late about an organization, as JSON lines; nil when nothing is kept.
	Recent func(orgID string) []byte
}

// Diagnostics is a ZIP archive for whoever helps with an account.
type Diagnostics struct {
	Name string // of the file
	Body []byte
}

const (
	diagnosticsRuns  = 10   // newest of the account, with their steps
	diagnosticsAudit = 1000 // newest of the organization, of which those about the account are taken
)

// diagnosticsReadme stands first in the archive.
const diagnosticsReadme = `This archive describes how one cloud account is set up in Outlay, so that somebody else can help.

about.json    the program and how often it looks
account.json  the account, its status with reasons, every resource in the ledger
sources.json  what delivers its data, and each month that is loaded
runs/         the newest runs with every step, what was planned and what went wrong
audit.json    what people did with the account
log.jsonl     what the program logged about your organization since it started

No secret is in it: secrets are stored sealed and are never logged. Costs are left out, but for a figure that a message
names. Names, e-mail addresses of
administrators, account numbers and addresses of your network are: read it before you pass it on.
`

// Diagnostics gathers what is known about an account, without secrets and without costs. It asks no provider.
func (c *Control) Diagnostics(ctx context.Context, a outlay.Actor, idOrName string) (Diagnostics, error) {
	if err := c.must(ctx, a, outlay.BillingPlan, "account "+idOrName); err != nil {
		return Diagnostics{}, err
	}
	acc, err := c.Account(ctx, a, idOrName)
	if err != nil {
		return Diagnostics{}, err
	}
	acc.MonthToDate, acc.Heads, acc.Reading = nil, nil, nil
	b := &bundle{}
	b.text("README.txt", diagnosticsReadme)
	b.json("about.json", c.aboutProgram())
	b.json("account.json", acc)
	if err := c.bundleSources(ctx, a, b, acc); err != nil {
		return Diagnostics{}, err
	}
	for i, r := range acc.Runs[:min(len(acc.Runs), diagnosticsRuns)] {
		run, err := c.Run(ctx, a, r.ID)
		if err != nil {
			return Diagnostics{}, err
		}
		b.json(fmt.Sprintf("runs/%02d-%s.json", i+1, r.ID), run)
	}
	if a.May(outlay.AuditRead) {
		if err := c.bundleAudit(ctx, a, b, acc); err != nil {
			return Diagnostics{}, err
		}
	}
	if c.deps.Diagnosis.Recent != nil {
		b.text("log.jsonl", string(c.deps.Diagnosis.Recent(a.OrgID)))
	}
	body, err := b.archive()
	return Diagnostics{Name: "outlay-" + acc.Name + "-" + c.deps.Clock.Now().UTC().Format("2006-01-02") + ".zip", Body: body}, err
}

func (c *Control) aboutProgram() map[string]any {
	return map[string]any{
		"version": c.deps.Diagnosis.Version, "go": runtime.Version(), "os": runtime.GOOS + "/" + runtime.GOARCH,
		"lookEvery": c.LookEvery.String(), "at": c.deps.Clock.Now(),
	}
}

// bundleSources tells which months came from where and when, without their sums.
func (c *Control) bundleSources(ctx context.Context, a outlay.Actor, b *bundle, acc AccountDetail) error {
	all, err := c.Sources(ctx, a)
	if err != nil {
		return err
	}
	var own []SourceView
	for _, s := range all {
		if s.AccountID == acc.ID || s.ID == acc.Status.Via {
			s.Reading, s.Periods = nil, slices.Clone(s.Periods)
			for i := range s.Periods {
				s.Periods[i].Sums, s.Periods[i].Previous = nil, nil
			}
			own = append(own, s)
		}
	}
	b.json("sources.json", own)
	return nil
}

func (c *Control) bundleAudit(ctx context.Context, a outlay.Actor, b *bundle, acc AccountDetail) error {
	all, err := c.Audit(ctx, a, diagnosticsAudit)
	if err != nil {
		return err
	}
	objects := []string{"account " + acc.Name, "account " + acc.ID}
	for _, s := range append(acc.Imports, SourceRef{acc.SourceID, acc.Name}) {
		objects = append(objects, "source "+s.ID, "source "+s.Name)
	}
	for _, r := range acc.Runs {
		objects = append(objects, "run "+r.ID)
	}
	b.json("audit.json", slices.DeleteFunc(all, func(e outlay.Entry) bool { return !slices.Contains(objects, e.Object) }))
	return nil
}

// bundle collects files for an archive; the first error ends it.
type bundle struct {
	buf bytes.Buffer
	zip *zip.Writer
	err error
}

func (b *bundle) text(name, text string) {
	if b.zip == nil {
		b.zip = zip.NewWriter(&b.buf)
	}
	w, err := b.zip.Create(name)
	if err == nil {
		_, err = w.Write([]byte(text))
	}
	if b.err == nil {
		b.err = err
	}
}

func (b *bundle) json(name string, v any) {
	text, err := json.MarshalIndent(v, "", "  ")
	if b.err == nil {
		b.err = err
	}
	b.text(name, string(text)+"\n")
}

func (b *bundle) archive() ([]byte, error) {
	if b.err != nil {
		return nil, b.err
	}
	err := b.zip.Close()
	return b.buf.Bytes(), err
}
