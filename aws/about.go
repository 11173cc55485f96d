package aws

import "outlay"

// The fields of credentials and of the provision form.
const (
	kindRole       = "role"
	kindKeys       = "keys"
	fieldRole      = "role_arn"
	fieldExternal  = "external_id"
	fieldKeyID     = "access_key_id"
	fieldKeySecret = "secret_access_key"
	fieldBucket    = "bucket"
	fieldBackfill  = "backfill" // a request of its own: see planBackfill
)

// About describes AWS for pages, API and command line.
func (p *Provider) About() outlay.ProviderInfo {
	return outlay.ProviderInfo{
		Name: Name, Title: "AWS", Account: "Account ID", Series: 1,
		CredentialKinds: []outlay.CredentialKind{aboutRole(p.opts.Principal), aboutKeys()},
		Regions:         regions(),
		RegionHint:      "The bucket is created here. AWS runs the export service itself from us-east-1 whatever you pick.",
		RegionLink:      outlay.Link{Title: "Regions in the AWS documentation", URL: "https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html"},
		Fields: []outlay.ProviderField{{
			Name: fieldBucket, Title: "Bucket name", Optional: true,
			Hint: "3 to 63 lower-case letters, digits and dashes. Leave it empty for a name that only this account can take.",
			Link: outlay.Link{Title: "Bucket names in the AWS documentation", URL: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"},
		}},
		TagsHint:    "Needs ce:UpdateCostAllocationTagsStatus. AWS only lists a key after some resource has carried it; the others are tried again every hour.",
		TagsLink:    outlay.Link{Title: "Required permissions in the AWS documentation", URL: "https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscostexplorerservice.html"},
		FirstData:   "First costs appear within 24 hours.",
		Running:     "The export is free. You pay AWS for storing its files: cents a month for most accounts. Turning tags on uses Cost Explorer calls at $0.01 each.",
		DeleteFiles: "Cannot be undone. AWS will not send past months again.",
		KeepFiles:   "Only the export is removed. You pay AWS for the storage.",
		Tags:        aboutTags(),
		LeftAlone:   "The cost allocation tags stay active. Other tools may rely on them.",
		FileFormats: fileFormats(),
		Reader:      ReaderPolicy("aws", "*", "{"+fieldBucket+"}"),
	}
}

func aboutRole(principal string) outlay.CredentialKind {
	return outlay.CredentialKind{
		Kind: kindRole, Title: "Assume a role", Hint: "Create a role in your account that trusts this server and asks for the external ID below. No key is stored.",
		Fields: []outlay.ProviderField{
			{Name: fieldRole, Title: "Role ARN", Hint: "arn:aws:iam::123456789012:role/outlay", Pattern: `arn:aws(-[a-z]+)*:iam::[0-9]{12}:role/\S+`},
			{Name: fieldExternal, Title: "External ID", Hint: "Made by Outlay for this account alone. Put it into the role's trust policy; it keeps others from using your role through this server.", Generated: true},
			{Name: fieldKeyID, Title: "Access key ID", Hint: "Only when this server has no AWS identity of its own: a key that may do nothing but assume the role.", Optional: true},
			{Name: fieldKeySecret, Title: "Secret access key", Optional: true, Secret: true},
		},
		Setup: "Trust policy of the role:\n\n" + trustPolicy(principal) + "\n\nPermissions of the role:\n\n" + ProvisionerPolicy("aws", "*") + readerText(),
	}
}

func aboutKeys() outlay.CredentialKind {
	return outlay.CredentialKind{
		Kind: kindKeys, Title: "Access key", Hint: "A key of an IAM user in your account.",
		Warning: "An access key works until somebody revokes it, from anywhere. A role with an external ID is safer; rotate this key at least every 90 days.",
		Fields: []outlay.ProviderField{
			{Name: fieldKeyID, Title: "Access key ID", Hint: "20 capital letters and digits, often beginning with AKIA.", Pattern: `\w{16,128}`}, // accessKeyIdType of the API model
			{Name: fieldKeySecret, Title: "Secret access key", Secret: true},
		},
		Setup: "Permissions of the user:\n\n" + ProvisionerPolicy("aws", "*") + readerText(),
	}
}

// readerText says with how little a provisioned account can go on (reliability.md M15).
func readerText() string {
	return "\n\nOnce billing is provisioned, these permissions are enough to watch and to read; give the others back when you deprovision:\n\n" +
		ReaderPolicy("aws", "*", bucketPrefix+"-*")
}

// regions is the conservative list of clouds.md §2.2: regions that are on by default in every account. What Data
// Exports makes of newer opt-in regions is not known.
func regions() []outlay.Region {
	return []outlay.Region{
		{ID: "us-east-1", Title: "us-east-1 · N. Virginia"}, {ID: "us-east-2", Title: "us-east-2 · Ohio"},
		{ID: "us-west-1", Title: "us-west-1 · N. California"}, {ID: "us-west-2", Title: "us-west-2 · Oregon"},
		{ID: "ca-central-1", Title: "ca-central-1 · Central Canada"}, {ID: "sa-east-1", Title: "sa-east-1 · São Paulo"},
		{ID: "eu-central-1", Title: "eu-central-1 · Frankfurt"}, {ID: "eu-west-1", Title: "eu-west-1 · Ireland"},
		{ID: "eu-west-2", Title: "eu-west-2 · London"}, {ID: "eu-west-3", Title: "eu-west-3 · Paris"},
		{ID: "eu-north-1", Title: "eu-north-1 · Stockholm"}, {ID: "ap-northeast-1", Title: "ap-northeast-1 · Tokyo"},
		{ID: "ap-northeast-2", Title: "ap-northeast-2 · Seoul"}, {ID: "ap-northeast-3", Title: "ap-northeast-3 · Osaka"},
		{ID: "ap-south-1", Title: "ap-south-1 · Mumbai"}, {ID: "ap-southeast-1", Title: "ap-southeast-1 · Singapore"},
		{ID: "ap-southeast-2", Title: "ap-southeast-2 · Sydney"},
	}
}

// knownRegion tells whether a bucket may be asked for in region. China and GovCloud come by role ARN only and are
// taken as given (clouds.md §2.2).
func knownRegion(partition, region string) bool {
	if partition != "aws" {
		return region != ""
	}
	for _, r := range regions() {
		if r.ID == region {
			return true
		}
	}
	return false
}
