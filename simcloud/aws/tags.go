package aws

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"outlay"
)

// tagBook is what Cost Explorer knows of a payer's cost allocation tags.
type tagBook struct {
	Keys      map[string]*tagKey
	Since     time.Time // when the payer came into being
	Backfills []backfill
	Revisions map[string]int // how often a month of the bill was restated, by period
}

type tagKey struct {
	Active  bool
	Updated time.Time // last change of status; zero for never
	// From is the day from which on data carry the key; a backfill moves it back.
	From time.Time
}

type backfill struct{ From, Requested, Done time.Time }

func tagOperations() map[string]operation {
	return map[string]operation{
		"ListCostAllocationTags":               {run: (*Cloud).listTags, changes: true},
		"UpdateCostAllocationTagsStatus":       {run: (*Cloud).updateTags, changes: true},
		"StartCostAllocationTagBackfill":       {run: (*Cloud).startBackfill, changes: true},
		"ListCostAllocationTagBackfillHistory": {run: (*Cloud).listBackfills},
	}
}

// SeeTags makes keys known to Cost Explorer for every payer: as if resources had carried them for a day.
func (c *Cloud) SeeTags(keys ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, book := range c.state.Tags {
		book.see(keys...)
	}
	c.persist()
}

func (b *tagBook) see(keys ...string) {
	for _, key := range keys {
		if b.Keys[key] == nil {
			b.Keys[key] = &tagKey{}
		}
	}
}

// book is the payer's; member accounts are refused in AWS's own words (clouds.md §2.6), which come with the same code
// as a missing permission.
func (c *Cloud) book(k *call, action, verb string) (*tagBook, *refusal) {
	if fail := c.need(k, "ce:"+action, "*"); fail != nil {
		return nil, fail
	}
	a := c.state.Accounts[k.Caller.Account]
	if a.Payer != a.ID {
		return nil, refuse(http.StatusBadRequest, "AccessDeniedException", "Failed to %s: Linked account doesn't have access to cost allocation tags.", verb)
	}
	book := c.state.Tags[a.ID]
	if c.opt.SeenAfter > 0 && !c.opt.Now().Before(book.Since.Add(c.opt.SeenAfter)) {
		book.see(outlay.TagKeys()...)
	}
	return book, nil
}

// zoned is how Cost Explorer writes times: no fractions.
func zoned(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func status(active bool) string {
	if active {
		return "Active"
	}
	return "Inactive"
}

func (c *Cloud) listTags(k *call) (answer, *refusal) {
	book, fail := c.book(k, "ListCostAllocationTags", "list Cost Allocation Tags")
	if fail != nil {
		return answer{}, fail
	}
	var in struct {
		Status, Type, NextToken string
		TagKeys                 []string
		MaxResults              int
	}
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(book.Keys)) {
		wanted := len(in.TagKeys) == 0 || slices.Contains(in.TagKeys, key)
		if wanted && (in.Status == "" || in.Status == status(book.Keys[key].Active)) && in.Type != "AWSGenerated" {
			keys = append(keys, key)
		}
	}
	page, next, fail := paged(keys, in.NextToken, in.MaxResults, 100)
	if fail != nil {
		return answer{}, fail
	}
	list := []map[string]any{}
	for _, key := range page {
		t := book.Keys[key]
		entry := map[string]any{"TagKey": key, "Type": "UserDefined", "Status": status(t.Active), "LastUsedDate": zoned(outlay.PeriodOf(c.opt.Now()).Start())}
		if !t.Updated.IsZero() {
			entry["LastUpdatedDate"] = zoned(t.Updated)
		}
		list = append(list, entry)
	}
	return jsonAnswer(withNext(map[string]any{"CostAllocationTags": list}, next))
}

// updateTags refuses unseen keys one by one, inside a 200. Keys differ by case.
func (c *Cloud) updateTags(k *call) (answer, *refusal) {
	book, fail := c.book(k, "UpdateCostAllocationTagsStatus", "update Cost Allocation Tag")
	if fail != nil {
		return answer{}, fail
	}
	var in struct {
		CostAllocationTagsStatus []struct{ TagKey, Status string }
	}
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	if n := len(in.CostAllocationTagsStatus); n == 0 || n > 20 {
		return answer{}, refuse(http.StatusBadRequest, "ValidationException", "1 validation error detected: Value at 'costAllocationTagsStatus' failed to satisfy constraint: Member must have length between 1 and 20, inclusive")
	}
	errors := []map[string]string{}
	for _, want := range in.CostAllocationTagsStatus {
		t := book.Keys[want.TagKey]
		if t == nil {
			errors = append(errors, map[string]string{"TagKey": want.TagKey, "Code": "TagKeysNotFoundException", "Message": "Tag keys not found: " + want.TagKey})
			continue
		}
		if active := want.Status == "Active"; active != t.Active {
			now := c.opt.Now().UTC()
			t.Active, t.Updated, t.From = active, now, now.Add(c.opt.ActivateAfter)
		}
	}
	return jsonAnswer(map[string]any{"Errors": errors})
}

// startBackfill re-applies the present status of all keys to past months: it also takes away what is inactive now.
func (c *Cloud) startBackfill(k *call) (answer, *refusal) {
	book, fail := c.book(k, "StartCostAllocationTagBackfill", "start Cost Allocation Tag backfill")
	if fail != nil {
		return answer{}, fail
	}
	var in struct{ BackfillFrom string }
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	now := c.opt.Now().UTC()
	from, err := time.Parse(time.RFC3339, in.BackfillFrom)
	if err != nil || !from.Equal(outlay.PeriodOf(from).Start()) || from.After(now) || from.Before(outlay.PeriodOf(now).Start().AddDate(-1, 0, 0)) {
		return answer{}, refuse(http.StatusBadRequest, "ValidationException", "BackfillFrom must be the first day of a month within the last 12 months")
	}
	if n := len(book.Backfills); n > 0 && now.Before(book.Backfills[n-1].Requested.Add(24*time.Hour)) {
		return answer{}, refuse(http.StatusBadRequest, "BackfillLimitExceededException", "A backfill was requested within the last 24 hours.")
	}
	b := backfill{From: from.UTC(), Requested: now, Done: now.Add(c.opt.BackfillTakes)}
	book.Backfills = append(book.Backfills, b)
	for _, t := range book.Keys {
		if t.Active && t.From.After(b.From) {
			t.From = b.From
		}
	}
	return jsonAnswer(map[string]any{"BackfillRequest": c.backfillWire(b)})
}

func (c *Cloud) backfillWire(b backfill) map[string]any {
	out := map[string]any{"BackfillFrom": zoned(b.From), "RequestedAt": zoned(b.Requested), "LastUpdatedAt": zoned(b.Requested), "BackfillStatus": "PROCESSING"}
	if !c.opt.Now().Before(b.Done) {
		out["BackfillStatus"], out["CompletedAt"], out["LastUpdatedAt"] = "SUCCEEDED", zoned(b.Done), zoned(b.Done)
	}
	return out
}

func (c *Cloud) listBackfills(k *call) (answer, *refusal) {
	book, fail := c.book(k, "ListCostAllocationTagBackfillHistory", "list Cost Allocation Tag backfill history")
	if fail != nil {
		return answer{}, fail
	}
	var in pageRequest
	if fail := k.decode(&in); fail != nil {
		return answer{}, fail
	}
	page, next, fail := paged(book.Backfills, in.NextToken, in.MaxResults, 100)
	if fail != nil {
		return answer{}, fail
	}
	list := []map[string]any{}
	for _, b := range slices.Backward(page) {
		list = append(list, c.backfillWire(b))
	}
	return jsonAnswer(withNext(map[string]any{"BackfillRequests": list}, next))
}

// activeTags lists the keys that a payer's data carry, and from which day on.
func (c *Cloud) activeTags(payer string, now time.Time) (keys []string, since map[string]time.Time) {
	since = map[string]time.Time{}
	for key, t := range c.state.Tags[payer].Keys {
		if !t.Active {
			continue
		}
		if !c.opt.TagsReachBack {
			since[key] = t.From
		} else if now.Before(t.From) {
			continue // still activating
		}
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys, since
}
