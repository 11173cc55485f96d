package ingest

import (
	"context"
	"fmt"

	"outlay"
)

// labels are what the labels of a provider stand for, as the parser takes them: by tag and value, only those that stand
// for something else. nil for files that no provider delivered.
func (g *Ingest) labels(ctx context.Context, orgID string, provider outlay.ProviderName) (map[string]map[string]string, error) {
	if provider == "" {
		return nil, nil
	}
	var list []outlay.LabelMeaning
	err := g.o.Store.ReadOrg(ctx, orgID, func(tx outlay.Tx) (err error) {
		list, err = tx.Labels(ctx, provider)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading what labels stand for: %w", err)
	}
	var out map[string]map[string]string
	for _, m := range list {
		if m.Value == m.Original {
			continue
		}
		if out == nil {
			out = map[string]map[string]string{}
		}
		if out[m.Tag] == nil {
			out[m.Tag] = map[string]string{}
		}
		out[m.Tag][m.Value] = m.Original
	}
	return out, nil
}
