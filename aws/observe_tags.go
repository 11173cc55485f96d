package aws

import (
	"context"
	"strings"
	"time"

	"outlay"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer/types"
)

// Where a cost allocation tag stands (clouds.md §2.6).
const (
	tagUnseen     = string(outlay.TagUnseen)
	tagInactive   = string(outlay.TagInactive)
	tagActivating = string(outlay.TagActivating)
	tagActive     = string(outlay.TagActive)
	propNearMiss  = outlay.PropTagSimilar
)

// activation is how long AWS takes to bring an activated key into the data.
const activation = 24 * time.Hour

// tags looks where the wanted keys stand. The calls cost money, so that they are made only when asked for, and not at
// all in a member account, which AWS refuses (clouds.md §2.6).
func (o *observer) tags(ctx context.Context) {
	wanted := wantedTags(o.s)
	if !(o.look.Tags || o.names(kindTag)) || len(wanted) == 0 || o.seen.Identity.Extra[extraKind] == member {
		return
	}
	var all []types.CostAllocationTag
	in := &costexplorer.ListCostAllocationTagsInput{Type: types.CostAllocationTagTypeUserDefined, MaxResults: sdk.Int32(100)}
	for {
		out, err := o.ses.tags().ListCostAllocationTags(ctx, in)
		if err != nil {
			o.unknown(string(kindTag), failure(err, call{Action: "ce:ListCostAllocationTags", Resource: "*", Doing: "reading the cost allocation tags"}))
			return
		}
		all = append(all, out.CostAllocationTags...)
		if sdk.ToString(out.NextToken) == "" {
			break
		}
		in.NextToken = out.NextToken
	}
	for _, key := range wanted {
		o.add(o.tag(key, all))
	}
}

// tag is one wanted key. Keys are told apart by letter case; one that differs in nothing else, or by an error or two, is
// worth a word: people rarely notice that they tag with it.
func (o *observer) tag(key string, all []types.CostAllocationTag) outlay.Resource {
	r := outlay.Resource{Kind: kindTag, Name: key, ProviderID: key, Properties: map[string]string{propStatus: tagUnseen}, State: outlay.StateMissing}
	for _, t := range all {
		switch got := sdk.ToString(t.TagKey); {
		case got == key:
			r.Properties[propStatus], r.State = o.tagStatus(t), outlay.StateCreated
			if r.Properties[propStatus] != tagInactive && sdk.ToString(t.LastUpdatedDate) != "" {
				r.Properties[outlay.PropTagSince] = sdk.ToString(t.LastUpdatedDate)
			}
		case strings.EqualFold(got, key):
			r.Properties[propNearMiss] = got
		case looksLike(got, key) && r.Properties[propNearMiss] == "":
			r.Properties[propNearMiss] = got
		}
	}
	return r
}

// looksLike tells whether a key was probably meant to be one of the nine.
func looksLike(got, key string) bool {
	tag, near := outlay.NearTag(got)
	return near && tag == key
}

func (o *observer) tagStatus(t types.CostAllocationTag) string {
	if t.Status != types.CostAllocationTagStatusActive {
		return tagInactive
	}
	since, err := time.Parse(time.RFC3339, sdk.ToString(t.LastUpdatedDate))
	if err == nil && o.seen.At.Sub(since) < activation {
		return tagActivating
	}
	return tagActive
}

// wantedTags are the keys that were asked for; after a source was asked away, those of the ledger.
func wantedTags(s *outlay.Source) []string {
	if s.Spec != nil {
		return s.Spec.Tags
	}
	var keys []string
	for _, r := range s.Resources {
		if r.Kind == kindTag {
			keys = append(keys, r.Name)
		}
	}
	return keys
}
