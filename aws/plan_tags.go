package aws

import (
	"strings"
	"time"

	"outlay"
)

// tags plans one change per wanted key. The hourly look makes them by itself as soon as AWS has seen a key; what AWS
// refuses is a warning, for costs arrive without tags too.
func (pl *planner) tags() {
	keys := append([]string(nil), pl.s.Spec.Tags...)
	done := map[string]bool{}
	for _, key := range keys {
		if !done[key] {
			done[key] = true
			pl.tag(key)
		}
	}
}

func (pl *planner) tag(key string) {
	c := outlay.Change{
		Action: outlay.ActionUpdate, Kind: kindTag, Name: key, Title: "Cost allocation tag " + key, Detail: "Turn on in cost data",
		Step: "Turn on the tag " + key, To: map[string]string{propStatus: tagActive}, Auto: true, Soft: true,
		Needs: []string{"ce:UpdateCostAllocationTagsStatus"},
	}
	seen, looked := pl.seen.Find(kindTag, key)
	status := seen.Properties[propStatus]
	switch {
	case pl.seen.Identity.Extra[extraKind] == member:
		c.Hold = "Only the payer account can turn tags on: " + payerText(pl.seen.Identity) + "."
	case !looked && pl.knownTag(key):
		return // not looked at this time; the ledger has it
	case status == tagActive:
		c = keep(c, "Already on")
	case status == tagActivating:
		c = keep(c, "On; AWS takes up to 24 hours to bring it into the data")
	case status == tagUnseen:
		c.Hold = "AWS lists a key only after some resource has carried it, up to 24 hours later. Tried again every hour."
		switch near := seen.Properties[propNearMiss]; {
		case strings.EqualFold(near, key):
			c.Hold += " AWS has seen " + near + ", which is another key: letter case counts."
		case near != "":
			c.Hold += " AWS has seen " + near + ", which is another key. Was " + key + " meant?"
		}
	}
	if looked {
		c.From = map[string]string{propStatus: status}
	}
	pl.add(c)
}

// knownTag tells whether the ledger says that a key is on, or is being waited for.
func (pl *planner) knownTag(key string) bool {
	for _, r := range pl.s.Resources {
		if r.Kind == kindTag && r.Name == key && r.State != outlay.StateDeleted {
			return true
		}
	}
	return false
}

// backfill plans the one change that is made on request only: AWS writes the tags that are on now into the past
// months, for all keys, so that a key turned off since vanishes from them (clouds.md §2.6).
func (pl *planner) backfill(from string) (outlay.Plan, error) {
	period, err := outlay.ParsePeriod(from)
	if err != nil {
		return outlay.Plan{}, fieldError(err, fieldBackfill)
	}
	if oldest := outlay.PeriodOf(pl.seen.At).Start().AddDate(0, -12, 0); period.Start().Before(oldest) || !period.Start().Before(pl.seen.At) {
		return outlay.Plan{}, outlay.Errorf(outlay.CodeInvalid, "Choose a month from "+oldest.Format("2006-01")+" on.", "AWS fills tags in for the last 12 months only").InField(fieldBackfill)
	}
	if pl.seen.Identity.Extra[extraKind] == member {
		pl.note("block", "Only the payer account can fill tags in: %s.", payerText(pl.seen.Identity))
	}
	pl.note("warn", "AWS writes the tags that are on today into all months since %s, for every key of the organization: a key that was turned off since then vanishes from them.", from)
	pl.add(outlay.Change{
		Action: outlay.ActionUpdate, Kind: kindBackfill, Name: from, Title: "Tags in past months", Detail: "From " + strings.TrimSpace(from) + " on; at most once in 24 hours",
		Step: "Ask AWS to fill tags in", To: map[string]string{"from": period.Start().Format(time.RFC3339)},
		Needs: []string{"ce:StartCostAllocationTagBackfill"},
	})
	return pl.plan, nil
}
