package aws_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer/types"

	"outlay/simcloud/aws"
)

// clock is a clock that a test moves.
type clock struct{ at atomic.Int64 }

func newClock(text string) *clock {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	c := &clock{}
	c.at.Store(t.UnixNano())
	return c
}

func (c *clock) now() time.Time        { return time.Unix(0, c.at.Load()).UTC() }
func (c *clock) move(by time.Duration) { c.at.Add(int64(by)) }

func entry(key, status string) types.CostAllocationTagStatusEntry {
	return types.CostAllocationTagStatusEntry{TagKey: &key, Status: types.CostAllocationTagStatus(status)}
}

func (w *world) listTags(c clients) map[string]string {
	w.t.Helper()
	out, err := c.ce.ListCostAllocationTags(w.t.Context(), &costexplorer.ListCostAllocationTagsInput{})
	if err != nil {
		w.t.Fatal(err)
	}
	got := map[string]string{}
	for _, tag := range out.CostAllocationTags {
		got[*tag.TagKey] = string(tag.Status)
	}
	return got
}

func TestActivation(t *testing.T) {
	now := newClock("2026-11-10T08:00:00Z")
	w := newWorld(t, aws.Options{Now: now.now, SeenAfter: 24 * time.Hour})
	c := w.as(payerID, "ada", "*")
	update := func(entries ...types.CostAllocationTagStatusEntry) []types.UpdateCostAllocationTagsStatusError {
		out := must[*costexplorer.UpdateCostAllocationTagsStatusOutput](t)(c.ce.UpdateCostAllocationTagsStatus(t.Context(), &costexplorer.UpdateCostAllocationTagsStatusInput{CostAllocationTagsStatus: entries}))
		return out.Errors
	}
	if got := w.listTags(c); len(got) != 0 {
		t.Errorf("seen at once: %v", got)
	}
	if errs := update(entry("Project", "Active")); len(errs) != 1 || *errs[0].TagKey != "Project" || *errs[0].Code == "" {
		t.Errorf("an unseen key: got %+v", errs)
	}
	now.move(25 * time.Hour)
	if got := w.listTags(c); len(got) != 9 || got["Project"] != "Inactive" {
		t.Errorf("after a day: %v", got)
	}
	if errs := update(entry("Project", "Active"), entry("project", "Active")); len(errs) != 1 || *errs[0].TagKey != "project" {
		t.Errorf("keys differ by case: got %+v", errs)
	}
	if errs := update(entry("Project", "Active")); len(errs) != 0 {
		t.Errorf("the same again: got %+v", errs)
	}
	if got := w.listTags(c); got["Project"] != "Active" || got["User"] != "Inactive" {
		t.Errorf("got %v", got)
	}
}

func TestTooManyTagsAtOnce(t *testing.T) {
	w := newLawlessWorld(t, aws.Options{})
	var many []types.CostAllocationTagStatusEntry
	for i := range 21 {
		many = append(many, entry(fmt.Sprint("k", i), "Active"))
	}
	_, err := w.as(payerID, "ada", "*").ce.UpdateCostAllocationTagsStatus(t.Context(), &costexplorer.UpdateCostAllocationTagsStatusInput{CostAllocationTagsStatus: many})
	wantCode(t, err, "ValidationException")
}

func TestMemberHasNoTags(t *testing.T) {
	w := newWorld(t, aws.Options{})
	w.SeeTags("Project")
	_, err := w.as(memberID, "bob", "*").ce.UpdateCostAllocationTagsStatus(t.Context(), &costexplorer.UpdateCostAllocationTagsStatusInput{CostAllocationTagsStatus: []types.CostAllocationTagStatusEntry{entry("Project", "Active")}})
	wantCode(t, err, "AccessDeniedException")
	if want := "Failed to update Cost Allocation Tag: Linked account doesn't have access to cost allocation tags."; !containsText(err, want) {
		t.Errorf("got %v, want %q", err, want)
	}
	if got := w.listTags(w.as(aloneID, "cleo", "*")); got["Project"] != "Inactive" {
		t.Errorf("a standalone account is its own payer: got %v", got)
	}
}

func TestBackfill(t *testing.T) {
	now := newClock("2026-11-10T08:00:00Z")
	w := newWorld(t, aws.Options{Now: now.now, BackfillTakes: time.Hour})
	c := w.as(payerID, "ada", "*")
	start := func(from string) error {
		_, err := c.ce.StartCostAllocationTagBackfill(t.Context(), &costexplorer.StartCostAllocationTagBackfillInput{BackfillFrom: &from})
		return err
	}
	for _, bad := range []string{"2026-11-02T00:00:00Z", "2025-10-01T00:00:00Z", "2026-12-01T00:00:00Z"} {
		wantCode(t, start(bad), "ValidationException")
	}
	if err := start("2026-05-01T00:00:00Z"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, start("2026-05-01T00:00:00Z"), "BackfillLimitExceededException")
	for _, want := range []types.CostAllocationTagBackfillStatus{types.CostAllocationTagBackfillStatusProcessing, types.CostAllocationTagBackfillStatusSucceeded} {
		out := must[*costexplorer.ListCostAllocationTagBackfillHistoryOutput](t)(c.ce.ListCostAllocationTagBackfillHistory(t.Context(), &costexplorer.ListCostAllocationTagBackfillHistoryInput{}))
		if len(out.BackfillRequests) != 1 || out.BackfillRequests[0].BackfillStatus != want || awssdk.ToString(out.BackfillRequests[0].BackfillFrom) != "2026-05-01T00:00:00Z" {
			t.Errorf("got %+v, want %s", out.BackfillRequests, want)
		}
		now.move(2 * time.Hour)
	}
	now.move(24 * time.Hour)
	if err := start("2026-06-01T00:00:00Z"); err != nil {
		t.Errorf("a day later: %v", err)
	}
}
