package azure

import "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/costmanagement/armcostmanagement/v3"

// The settings of resources that we own, as properties of a Resource: what drift is measured on.
const (
	propState    = "state" // of the registration
	propRegion   = "region"
	propBlobURL  = "blob endpoint"
	propPublic   = "public access"
	propTLS      = "minimum TLS"
	propHTTPS    = "HTTPS only"
	propKeys     = "shared keys"
	propNetwork  = "network access"
	propCopy     = "copies allowed from"
	propDataset  = "type"
	propVersion  = "data version"
	propFrame    = "timeframe"
	propGrain    = "granularity"
	propFormat   = "format"
	propPack     = "compression"
	propMode     = "overwrite"
	propSplit    = "partitioned"
	propSchedule = "schedule"
	propTarget   = "delivers to"
	propIdentity = "identity"
	propLastRun  = "last run"
	propPrefer   = "tags win from"
)

// The data sets of an export (clouds.md §3.3).
const (
	typeFocus     = string(armcostmanagement.ExportTypeFocusCost)
	typeActual    = string(armcostmanagement.ExportTypeActualCost)
	typeAmortized = string(armcostmanagement.ExportTypeAmortizedCost)
	typeUsage     = string(armcostmanagement.ExportTypeUsage)
)
