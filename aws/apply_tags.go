package aws

import (
	"context"
	"slices"
	"time"

	"outlay"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer/types"
)

// activateTag turns one key on. AWS answers 200 and puts refusals of single keys inside (clouds.md §2.6); turning on
// what is on is a success.
func (w *applier) activateTag(ctx context.Context) (outlay.Resource, error) {
	c := call{Action: "ce:UpdateCostAllocationTagsStatus", Resource: "*", Doing: "turning on the tag " + w.c.Name}
	out, err := w.ses.tags().UpdateCostAllocationTagsStatus(ctx, &costexplorer.UpdateCostAllocationTagsStatusInput{
		CostAllocationTagsStatus: []types.CostAllocationTagStatusEntry{{TagKey: &w.c.Name, Status: types.CostAllocationTagStatusActive}},
	})
	if err != nil {
		return outlay.Resource{}, failure(err, c)
	}
	for _, e := range out.Errors {
		return outlay.Resource{}, tagRefused(e, c)
	}
	return outlay.Resource{State: outlay.StateCreated, Origin: outlay.PreExisting, ProviderID: w.c.Name, Properties: map[string]string{propStatus: tagActivating}}, nil
}

// tagRefused is AWS's answer about one key; most often it has not seen the key on a resource yet, which time heals.
func tagRefused(e types.UpdateCostAllocationTagsStatusError, c call) error {
	return &outlay.Error{
		Code: outlay.CodeConflict, Outcome: outlay.DefinitelyNot,
		Message: c.Doing + ": AWS answered " + sdk.ToString(e.Code) + withText(sdk.ToString(e.Message)),
		Fix:     "AWS lists a key only after some resource has carried it. It is tried again every hour.",
	}
}

// startBackfill asks AWS to write today's tags into past months; it never happens without a person's wish. AWS takes one
// request in 24 hours and has no token against a second: where it refuses and our own intent is open, an attempt before
// this one may have been it.
func (w *applier) startBackfill(ctx context.Context) (outlay.Resource, error) {
	from := w.c.To["from"]
	_, err := w.ses.tags().StartCostAllocationTagBackfill(ctx, &costexplorer.StartCostAllocationTagBackfillInput{BackfillFrom: &from},
		func(o *costexplorer.Options) { o.Retryer = sdk.NopRetryer{} })
	if isCode(err, "BackfillLimitExceededException") && w.intended() {
		started, lookErr := w.backfillStarted(ctx, from)
		if lookErr != nil {
			return outlay.Resource{}, lookErr
		}
		if started {
			err = nil
		}
	}
	if err != nil {
		return outlay.Resource{}, failure(err, call{Action: "ce:StartCostAllocationTagBackfill", Resource: "*", Doing: "asking AWS to fill tags in"})
	}
	return outlay.Resource{State: outlay.StateCreated, Origin: outlay.PreExisting, ProviderID: from, Properties: map[string]string{"from": from}}, nil
}

// intended tells whether our ledger holds an open intent for the change: one whose outcome is not known.
func (w *applier) intended() bool {
	return slices.ContainsFunc(w.s.Resources, func(r outlay.Resource) bool { return r.Key() == w.c.Key() && r.State == outlay.StateIntended })
}

// backfillStarted tells whether AWS was asked for the same months within its 24 hours. It lists the newest first.
func (w *applier) backfillStarted(ctx context.Context, from string) (bool, error) {
	out, err := w.ses.tags().ListCostAllocationTagBackfillHistory(ctx, &costexplorer.ListCostAllocationTagBackfillHistoryInput{})
	if err != nil {
		return false, failure(err, call{Action: "ce:ListCostAllocationTagBackfillHistory", Resource: "*", Doing: "looking whether AWS fills tags in already"})
	}
	want, err := time.Parse(time.RFC3339, from)
	if err != nil {
		return false, nil
	}
	return slices.ContainsFunc(out.BackfillRequests, func(b types.CostAllocationTagBackfillRequest) bool {
		of, ofErr := time.Parse(time.RFC3339, sdk.ToString(b.BackfillFrom))
		at, atErr := time.Parse(time.RFC3339, sdk.ToString(b.RequestedAt))
		return ofErr == nil && atErr == nil && of.Equal(want) && w.p.opts.Clock.Now().Sub(at) < 24*time.Hour && b.BackfillStatus != types.CostAllocationTagBackfillStatusFailed
	}), nil
}
