package azure

import "outlay"

// The fields of credentials and of the provision form.
const (
	kindFederated   = "federated"
	kindManaged     = "managed"
	kindCertificate = "certificate"
	kindSecret      = "secret"

	fieldTenant       = "tenant_id"
	fieldSubscription = "subscription_id"
	fieldClient       = "client_id"
	fieldTokenFile    = "token_file"
	fieldCertificate  = "certificate"
	fieldSecret       = "client_secret"

	fieldRegister = "register"
	fieldScope    = "scope"
	fieldScopeID  = "scope_id"
	fieldDataset  = "dataset"
	fieldInherit  = "inherit_tags"
	fieldIdentity = "identity"
	fieldBackfill = "backfill" // a request of its own: see planner.backfill
)

// The choices of the form's fields.
const (
	registerCheck = "check"
	choiceYes     = "yes"
	choiceNo      = "no"
	choiceAuto    = "auto"

	scopeSubscription = "subscription"
	scopeGroup        = "resource-group"
	scopeManagement   = "management-group"
	scopeEnrolment    = "enrolment"
	scopeProfile      = "billing-profile"

	datasetFocus = "focus"
	datasetPair  = "actual-amortized"
	datasetUsage = "usage"

	identitySystem = "system"
	identityNone   = "none"
)

// guidPattern is what a tenant, subscription or client ID looks like.
const guidPattern = `[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}`

// About describes Azure for pages, API and command line.
func (p *Provider) About() outlay.ProviderInfo {
	return outlay.ProviderInfo{
		Name: Name, Title: "Azure", InCharges: "Microsoft", Account: "Subscription ID", Series: 0,
		CredentialKinds: p.credentialKinds(),
		Regions:         regions(),
		RegionHint:      "The resource group and the storage account are created here. It cannot change later.",
		RegionLink:      outlay.Link{Title: "Regions in the Azure documentation", URL: "https://learn.microsoft.com/azure/reliability/regions-list"},
		Fields:          provisionFields(),
		Tags: outlay.TagsInfo{
			Timing: "Azure needs no activation: tags of a resource are in the charges from the moment that it carries them, and past charges get none. Not every service passes tags on. Usage does not carry the tags of its resource group or subscription unless tag inheritance is on.",
			Link:   inheritanceLink(),
			Option: fieldInherit, OptionKind: kindInheritance,
		},
		FirstData:    "First costs of this month appear within about an hour, later ones once a day.",
		Running:      "The export is free. You pay Azure for storing its files: cents a month for most subscriptions.",
		DeleteFiles:  "Cannot be undone. Azure sends past months again only when asked, month by month.",
		KeepFiles:    "Only the export is removed. You pay Azure for the storage.",
		LeftAlone:    "The registration of Microsoft.CostManagementExports stays, and tag inheritance stays as it is, also where Outlay turned it on.",
		ImportFields: scopeFields(),
		FileFormats:  fileFormats(),
		Reader:       ReaderRole("{" + fieldSubscription + "}"),
	}
}

func (p *Provider) credentialKinds() []outlay.CredentialKind {
	var kinds []outlay.CredentialKind
	tenant := outlay.ProviderField{Name: fieldTenant, Title: "Tenant ID", Hint: "Directory (tenant) ID in Microsoft Entra, 32 hexadecimal digits with dashes.", Pattern: guidPattern}
	subscription := outlay.ProviderField{Name: fieldSubscription, Title: "Subscription ID", Hint: "The subscription that this account stands for.", Pattern: guidPattern}
	client := outlay.ProviderField{Name: fieldClient, Title: "Client ID", Hint: "Application (client) ID of the app registration.", Pattern: guidPattern}
	setup := "A custom role for the app, assigned at the subscription:\n\n" + ProvisionerRole("{"+fieldSubscription+"}") +
		"\n\nIt also lets the app read the delivered files, as the built-in role Storage Blob Data Reader does."
	kinds = append(kinds, outlay.CredentialKind{
		Kind: kindFederated, Title: "Workload identity", Setup: setup,
		Hint: "An app registration that trusts the platform this server runs on (Kubernetes or any OpenID Connect issuer). No secret is stored.",
		Fields: []outlay.ProviderField{tenant, subscription, client, {
			Name: fieldTokenFile, Title: "Token file", Hint: "Name of the file in the server's folder for token files.", Default: "azure-identity-token", Pattern: `[\w.-]+(/[\w.-]+)*`,
		}},
	})
	if p.opts.ManagedIdentity {
		own := client
		own.Optional, own.Hint = true, "Only for a user-assigned identity; empty for the server's own."
		kinds = append(kinds, outlay.CredentialKind{
			Kind: kindManaged, Title: "Managed identity of this server", Setup: setup, Hint: "This server runs in Azure and signs in as itself. No secret is stored.",
			Fields: []outlay.ProviderField{tenant, subscription, own},
		})
	}
	return append(kinds, outlay.CredentialKind{
		Kind: kindCertificate, Title: "Certificate", Setup: setup, Hint: "An app registration with a certificate.",
		Fields: []outlay.ProviderField{tenant, subscription, client, {
			Name: fieldCertificate, Title: "Certificate and private key", Hint: "Both in PEM, one after the other.", Secret: true,
		}},
	}, outlay.CredentialKind{
		Kind: kindSecret, Title: "Client secret", Setup: setup, Hint: "An app registration with a client secret.",
		Warning: "A client secret works from anywhere until it expires. Workload identity or a certificate is safer; rotate this secret at least every six months.",
		Fields:  []outlay.ProviderField{tenant, subscription, client, {Name: fieldSecret, Title: "Client secret", Hint: "The secret's value, not its ID.", Secret: true}},
	})
}

func provisionFields() []outlay.ProviderField {
	fields := []outlay.ProviderField{{
		Name: fieldRegister, Title: "Register Microsoft.CostManagementExports", Default: registerCheck,
		Hint:    "Azure creates exports only in a subscription that is registered for them. Outlay looks and registers only if needed.",
		Link:    outlay.Link{Title: "Resource providers in the Azure documentation", URL: "https://learn.microsoft.com/azure/azure-resource-manager/management/resource-providers-and-types"},
		Options: []outlay.Region{{ID: registerCheck, Title: "Check for me"}, {ID: choiceYes, Title: "Yes"}, {ID: choiceNo, Title: "No"}},
	}}
	fields = append(fields, scopeFields()...)
	return append(fields, outlay.ProviderField{
		Name: fieldDataset, Title: "Cost data", Default: choiceAuto, Hint: "FOCUS holds billed and amortized costs in one. Where Azure refuses it, Outlay takes the two older sets by itself.",
		Options: []outlay.Region{{ID: choiceAuto, Title: "The best that Azure offers"}, {ID: datasetFocus, Title: "FOCUS"}, {ID: datasetPair, Title: "Actual and amortized cost"}, {ID: datasetUsage, Title: "Usage only"}},
	}, outlay.ProviderField{
		Name: fieldIdentity, Title: "How the export writes", Default: choiceAuto,
		Hint:    "With an identity of its own no storage key is used. It takes the permission Microsoft.Authorization/roleAssignments/write on the storage account.",
		Options: []outlay.Region{{ID: choiceAuto, Title: "With its own identity where allowed"}, {ID: identitySystem, Title: "With its own identity"}, {ID: identityNone, Title: "Without an identity"}},
	}, outlay.ProviderField{
		Name: fieldInherit, Title: "Tag inheritance", Default: choiceNo,
		Hint:    "Turned on, costs also carry the tags of the resource group and the subscription. It changes the cost data of everybody who reads this scope, from this month on.",
		Options: []outlay.Region{{ID: choiceNo, Title: "Leave as it is"}, {ID: choiceYes, Title: "Turn on"}},
		Link:    inheritanceLink(),
	})
}

// inheritanceLink is what Azure says about tag inheritance.
func inheritanceLink() outlay.Link {
	return outlay.Link{Title: "Tag inheritance in the Azure documentation", URL: "https://learn.microsoft.com/azure/cost-management-billing/costs/enable-tag-inheritance"}
}

// scopeFields ask whose costs are meant.
func scopeFields() []outlay.ProviderField {
	return []outlay.ProviderField{{
		Name: fieldScope, Title: "Costs of", Default: scopeSubscription, Hint: "Wider scopes hold the costs of more subscriptions and take a billing role.",
		Link: outlay.Link{Title: "Scopes in the Azure documentation", URL: "https://learn.microsoft.com/azure/cost-management-billing/costs/understand-work-scopes"},
		Options: []outlay.Region{
			{ID: scopeSubscription, Title: "This subscription"}, {ID: scopeGroup, Title: "A resource group of it"}, {ID: scopeManagement, Title: "A management group"},
			{ID: scopeEnrolment, Title: "An Enterprise Agreement enrolment"}, {ID: scopeProfile, Title: "A billing profile (Microsoft Customer Agreement)"},
		},
	}, {
		Name: fieldScopeID, Title: "Name or ID of it", Optional: true, Hint: "Empty for the subscription. Otherwise the resource group, the management group, the enrolment number, or the full ID of the billing profile.",
	}}
}

// regions are the public regions that most subscriptions may use. What Azure does not let this subscription use is
// refused when the storage account is created.
func regions() []outlay.Region {
	return []outlay.Region{
		{ID: "eastus", Title: "East US"}, {ID: "eastus2", Title: "East US 2"}, {ID: "centralus", Title: "Central US"}, {ID: "northcentralus", Title: "North Central US"},
		{ID: "southcentralus", Title: "South Central US"}, {ID: "westcentralus", Title: "West Central US"}, {ID: "westus", Title: "West US"}, {ID: "westus2", Title: "West US 2"},
		{ID: "westus3", Title: "West US 3"}, {ID: "canadacentral", Title: "Canada Central"}, {ID: "canadaeast", Title: "Canada East"}, {ID: "brazilsouth", Title: "Brazil South"},
		{ID: "northeurope", Title: "North Europe"}, {ID: "westeurope", Title: "West Europe"}, {ID: "uksouth", Title: "UK South"}, {ID: "ukwest", Title: "UK West"},
		{ID: "francecentral", Title: "France Central"}, {ID: "germanywestcentral", Title: "Germany West Central"}, {ID: "switzerlandnorth", Title: "Switzerland North"},
		{ID: "norwayeast", Title: "Norway East"}, {ID: "swedencentral", Title: "Sweden Central"}, {ID: "italynorth", Title: "Italy North"}, {ID: "polandcentral", Title: "Poland Central"},
		{ID: "spaincentral", Title: "Spain Central"}, {ID: "israelcentral", Title: "Israel Central"}, {ID: "uaenorth", Title: "UAE North"}, {ID: "qatarcentral", Title: "Qatar Central"},
		{ID: "southafricanorth", Title: "South Africa North"}, {ID: "centralindia", Title: "Central India"}, {ID: "southindia", Title: "South India"},
		{ID: "eastasia", Title: "East Asia"}, {ID: "southeastasia", Title: "Southeast Asia"}, {ID: "japaneast", Title: "Japan East"}, {ID: "japanwest", Title: "Japan West"},
		{ID: "koreacentral", Title: "Korea Central"}, {ID: "australiaeast", Title: "Australia East"}, {ID: "australiasoutheast", Title: "Australia Southeast"},
	}
}

func knownRegion(region string) bool {
	for _, r := range regions() {
		if r.ID == region {
			return true
		}
	}
	return false
}
