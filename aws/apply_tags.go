package aws

import (
	"context"

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

// startBackfill asks AWS to write today's tags into past months; it never happens without a person's wish.
func (w *applier) startBackfill(ctx context.Context) (outlay.Resource, error) {
	from := w.c.To["from"]
	_, err := w.ses.tags().StartCostAllocationTagBackfill(ctx, &costexplorer.StartCostAllocationTagBackfillInput{BackfillFrom: &from},
		func(o *costexplorer.Options) { o.Retryer = sdk.NopRetryer{} })
	if err != nil {
		return outlay.Resource{}, failure(err, call{Action: "ce:StartCostAllocationTagBackfill", Resource: "*", Doing: "asking AWS to fill tags in"})
	}
	return outlay.Resource{State: outlay.StateCreated, Origin: outlay.PreExisting, ProviderID: from, Properties: map[string]string{"from": from}}, nil
}
