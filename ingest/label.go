package ingest

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"outlay"
)

// meanings are what labels stand for, as the parser takes them: by tag and value, only those that stand for something
// else.
type meanings = map[string]map[string]string

// labels are a provider's meanings; nil when there are none.
func (g *Ingest) labels(ctx context.Context, orgID string, provider outlay.ProviderName) (meanings, error) {
	var list []outlay.LabelMeaning
	err := g.o.Store.ReadOrg(ctx, orgID, func(tx outlay.Tx) (err error) {
		list, err = tx.Labels(ctx, provider)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading what labels stand for: %w", err)
	}
	var out meanings
	for _, m := range list {
		if m.Value == m.Original {
			continue
		}
		if out == nil {
			out = meanings{}
		}
		if out[m.Tag] == nil {
			out[m.Tag] = map[string]string{}
		}
		out[m.Tag][m.Value] = m.Original
	}
	return out, nil
}

// labelsBy are the meanings of every provider's labels, by what charges call the provider, in lower case: for files that
// may hold charges of any.
func (g *Ingest) labelsBy(ctx context.Context, orgID string) (map[string]meanings, error) {
	var out map[string]meanings
	for name, p := range g.o.Providers {
		list, err := g.labels(ctx, orgID, name)
		if err != nil {
			return nil, err
		}
		if len(list) == 0 {
			continue
		}
		if out == nil {
			out = map[string]meanings{}
		}
		about := p.About()
		for _, called := range []string{string(name), cmp.Or(about.Title, string(name)), cmp.Or(about.InCharges, string(name))} {
			out[strings.ToLower(called)] = list
		}
	}
	return out, nil
}

// once leaves out the labels that are what another label stands for: in charges whose labels were turned back already
// such a value may be either. Those stay as they were loaded.
func once(all meanings) meanings {
	out := meanings{}
	for tag, of := range all {
		meant := map[string]bool{}
		for _, original := range of {
			meant[original] = true
		}
		out[tag] = map[string]string{}
		for value, original := range of {
			if !meant[value] {
				out[tag][value] = original
			}
		}
	}
	return out
}
