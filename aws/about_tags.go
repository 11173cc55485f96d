package aws

import "outlay"

// aboutTags says how tags reach charges (clouds.md §2.6).
func aboutTags() outlay.TagsInfo {
	return outlay.TagsInfo{
		Timing: "AWS leaves a tag out of the bill until it is turned on in the payer account. It lists a key up to 24 hours after the first resource carried it, and takes up to 24 hours more to bring it into the charges. Charges from before stay untagged unless you ask for a backfill.",
		Link:   outlay.Link{Title: "Activating cost allocation tags in the AWS documentation", URL: "https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/activating-tags.html"},
		Manual: &outlay.Instruction{
			Text: "Turn the keys on in the Billing console of the payer account, spelled exactly so: AWS takes project and Project for two keys.",
			Who:  "Somebody who may sign in to the payer account with ce:UpdateCostAllocationTagsStatus",
			Link: "https://console.aws.amazon.com/billing/home#/tags", LinkTitle: "Cost allocation tags in the AWS console",
			Values: []outlay.InstructionValue{{Title: "Tag key", Value: "{key}"}},
			Seen:   "The key's status becomes Active at once; charges carry it within 24 hours. Outlay sees it at its next look.",
		},
		Backfill: "AWS writes the tags that are on today into the past months that you choose, at most 12, once in 24 hours. It does so for every key of the payer: a key that was turned off since then, by whomever, vanishes from those months. It does not tag what was not tagged then.",
	}
}
