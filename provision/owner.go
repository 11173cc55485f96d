package provision

import (
	"time"

	"outlay"
)

// skew is how much earlier than our intent a provider's clock may put a creation.
const skew = 15 * time.Minute

// marked tells whether a live resource carries the ownership tags of source s. Providers spell the keys in their own
// way (outlay:source-id, outlay-source-id, outlay_source_id); folded they are the same.
func marked(live outlay.Resource, s outlay.Source) bool {
	folded := make(map[string]string, len(live.Owner))
	for k, v := range live.Owner {
		folded[outlay.FoldTag(k)] = v
	}
	return folded["outlaysourceid"] == s.ID && folded["outlayorganizationid"] == s.OrgID
}

// ours tells whether a live resource is what our ledger row stands for: our intent, our tags, the provider's own id
// where we know it, and not older than our intent (reliability.md §3.1 rule 6). A name alone never suffices.
func ours(live, row outlay.Resource, s outlay.Source) bool {
	switch {
	case live.State == outlay.StateForeign, row.IntentAt.IsZero(), row.State == outlay.StateDeleted:
		return false
	case !marked(live, s):
		return false
	case row.ProviderID != "" && live.ProviderID != "" && row.ProviderID != live.ProviderID:
		return false
	}
	return live.Created.IsZero() || !live.Created.Before(row.IntentAt.Add(-skew))
}
