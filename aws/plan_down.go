package aws

import (
	"fmt"
	"time"

	"github.com/dustin/go-humanize"

	"outlay"
)

// skew is how much AWS's clock and ours may differ when a creation is held against our intent (architecture.md
// ruling 3).
const skew = 15 * time.Minute

// down plans toward nothing: first the standing order, then what was delivered, if that is the choice. Only what our
// ledger says we created, and what bears our tags, is deleted; everything else is listed as kept.
func (pl *planner) down() (outlay.Plan, error) {
	pl.missing()
	pl.unseen()
	if pl.seen.Identity.Extra[extraKind] == member {
		pl.note("warn", "Account %s is a member of an AWS organization; its payer is %s. Nothing of the payer is touched.", pl.seen.Identity.AccountID, payerText(pl.seen.Identity))
	}
	pl.downExport()
	bucket, there := pl.seen.Find(kindBucket, pl.n.Bucket)
	if there && !pl.unknown(kindBucket) {
		pl.downBucket(bucket)
	}
	pl.leftAlone()
	return pl.plan, nil
}

// mayDelete tells whether a live resource is ours by all three marks: our ledger row, our tags, and a creation that is
// not before our intent. Where AWS tells no creation time, the tag of the operation that made it stands in. why says
// what is wrong.
func (p *Provider) mayDelete(s *outlay.Source, live outlay.Resource) (why string) {
	row, ok := ledgerRow(s, live.Kind)
	switch {
	case !ok || row.Name != live.Name || row.Origin != outlay.CreatedByUs || row.IntentAt.IsZero():
		return "Outlay has no record of creating it"
	case row.State == outlay.StateAbandoned:
		return "it was given up, and is not touched any more"
	case live.State == outlay.StateForeign || !p.ours(s, live.Owner):
		return "it does not carry Outlay's tags"
	case row.ProviderID != "" && live.ProviderID != row.ProviderID:
		return "it is another one than Outlay created"
	case live.Created.IsZero() && (row.OperationID == "" || live.Owner[tagOperation] != row.OperationID):
		return "nothing shows that this is the one that Outlay created"
	case !live.Created.IsZero() && live.Created.Before(row.IntentAt.Add(-skew)):
		return "it is older than Outlay's own"
	}
	return ""
}

// keepForeign lists a thing that is left alone, and says why.
func (pl *planner) keepForeign(c outlay.Change, why string) {
	pl.add(keep(c, "Kept: "+why))
	pl.note("warn", "%s is kept: %s.", c.Name, why)
}

func (pl *planner) downExport() {
	c := outlay.Change{
		Action: outlay.ActionDelete, Kind: kindExport, Name: pl.n.Export, Title: "Data export", Detail: "AWS stops delivering",
		Step: "Delete the data export", Verify: "Wait until deliveries stop",
		Needs: []string{"bcm-data-exports:ListExports", "bcm-data-exports:GetExport", "bcm-data-exports:ListTagsForResource", "bcm-data-exports:DeleteExport"},
	}
	live, there := pl.seen.Find(kindExport, pl.n.Export)
	if !there || pl.unknown(kindExport) {
		return
	}
	if why := pl.p.mayDelete(pl.s, live); why != "" {
		pl.keepForeign(c, why)
		return
	}
	c.From = map[string]string{"id": live.ProviderID}
	pl.add(c)
}

func (pl *planner) downBucket(live outlay.Resource) {
	contents, _ := pl.seen.Find(kindObjects, live.Name)
	bucket := outlay.Change{
		Action: outlay.ActionDelete, Kind: kindBucket, Name: live.Name, Title: "S3 bucket", Detail: live.Name,
		Step: "Delete the S3 bucket", Needs: []string{"s3:GetBucketTagging", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads", "s3:DeleteBucket"},
	}
	why := pl.p.mayDelete(pl.s, live)
	switch {
	case pl.s.CostFiles == "":
		pl.note("block", "Choose whether the delivered cost files are deleted or kept.")
		pl.withdraw(live)
	case why != "":
		pl.withdraw(live)
		pl.keepForeign(bucket, why)
	case pl.s.CostFiles == outlay.KeepCostFiles:
		pl.withdraw(live)
		bucket.Holds = holds(contents)
		pl.add(keep(bucket, "Kept with its files, as chosen"))
	case pl.unknown(kindObjects):
		pl.note("block", "Outlay could not look at what is in the bucket: %s. Check again, or keep the files.", pl.seen.Unknown[string(kindObjects)])
	case contents.Foreign > 0:
		pl.withdraw(live)
		pl.keepForeign(bucket, fmt.Sprintf("it holds %s that Outlay did not put there", plural(int(contents.Foreign), "object", "objects")))
	default:
		pl.add(outlay.Change{
			Action: outlay.ActionDelete, Kind: kindObjects, Name: live.Name, Title: "Delivered cost files", Detail: "Everything under " + filesPrefix + "/",
			Step: "Delete the delivered files", Holds: holds(contents),
			Needs: []string{"s3:GetBucketTagging", "s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads",
				"s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"},
		})
		pl.add(bucket)
	}
}

// withdraw takes our statements out of a policy that outlives us.
func (pl *planner) withdraw(live outlay.Resource) {
	seen, ok := pl.seen.Find(kindPolicy, live.Name)
	if !ok || len(seen.Properties) == 0 || live.State == outlay.StateForeign {
		return
	}
	pl.add(outlay.Change{
		Action: outlay.ActionUpdate, Kind: kindPolicy, Name: live.Name, Title: "Bucket policy", Detail: "Outlay's statements are removed; others stay",
		Step: "Stop AWS from writing to it", From: seen.Properties, Needs: []string{"s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"},
	})
}

// leftAlone lists what stays in AWS after the set-up is gone.
func (pl *planner) leftAlone() {
	if keys := wantedTags(pl.s); len(keys) > 0 {
		pl.add(outlay.Change{
			Action: outlay.ActionKeep, Kind: kindTag, Name: "all", Title: "Cost allocation tags", Detail: "They stay active. Other tools may rely on them.",
		})
	}
}

// holds tells how much was found in a resource; "" where nothing was.
func holds(contents outlay.Resource) string {
	if contents.Objects == 0 {
		return ""
	}
	return contents.Properties["months"] + ", " + humanize.Bytes(uint64(contents.Bytes))
}
