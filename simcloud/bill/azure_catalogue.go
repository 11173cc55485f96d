package bill

// azureCatalogue is what a research-computing centre buys of Azure. Of sku, code is the resource provider, operation the
// meter's subcategory, prefix begins resource names, kind is the resource type in ids, instance the size of a machine.
// Weights sum to 1,000; weight × mean to about 8.3 USD a row. Pay-as-you-go has no reservations.
func azureCatalogue(agreement string) []sku {
	out := azureMachines()
	out = append(out, azureStorage()...)
	out = append(out, azureAround()...)
	if agreement == "MOSP" {
		for i := range out {
			out[i].committed, out[i].discount = 0, 0
		}
	}
	return out
}

func azureMachines() []sku {
	vm := func(instance, meter, series string, price float64, weight int, mean float64) sku {
		return sku{
			service: "Virtual Machines", code: "Microsoft.Compute", category: "Compute", subcategory: "Virtual Machines", operation: series + " Series", meter: meter,
			description: "Virtual Machines " + series + " Series - " + meter, unit: "1 Hour", price: price, weight: weight, mean: mean, elastic: true,
			prefix: "vm-", kind: "virtualMachines", discount: 0.06, committed: 22, instance: instance,
		}
	}
	spot := vm("Standard_D16s_v5", "D16s v5 Spot", "Dsv5", 0.1536, 50, 6.4)
	spot.spot, spot.discount, spot.committed = true, 0.62, 0
	gpu := vm("Standard_NC24ads_A100_v4", "NC24ads A100 v4", "NCads A100 v4", 3.673, 45, 29)
	gpu.committed = 0
	large := vm("Standard_ND96isr_H100_v5", "ND96isr H100 v5", "NDsr H100 v5", 98.32, 8, 190)
	large.committed = 0
	head := vm("Standard_D8s_v5", "D8s v5", "Dsv5", 0.384, 70, 9.1)
	head.elastic = false
	return []sku{
		vm("Standard_D32s_v5", "D32s v5", "Dsv5", 1.536, 130, 15.5), vm("Standard_E16s_v5", "E16s v5", "Esv5", 1.008, 70, 9.7),
		vm("Standard_HB120rs_v3", "HB120rs v3", "HBrsv3", 3.6, 40, 24), gpu, large, spot, head,
		{
			service: "Azure Machine Learning", code: "Microsoft.MachineLearningServices", category: "AI and Machine Learning", subcategory: "AI Platforms", operation: "Compute",
			meter: "vCPU Surcharge", description: "Azure Machine Learning - Compute", unit: "1 Hour", price: 1.515, weight: 22, mean: 11, elastic: true, prefix: "mlw-", kind: "workspaces", discount: 0.04,
		},
		{
			service: "Azure Functions", code: "Microsoft.Web", category: "Compute", subcategory: "Serverless Compute", operation: "Functions", meter: "Standard Execution Time",
			description: "Functions - Standard Execution Time", unit: "1 GB Second", price: 0.000016, weight: 55, mean: 0.31, prefix: "func-", kind: "sites", committed: 10,
		},
	}
}

func azureStorage() []sku {
	return []sku{
		{
			service: "Storage", code: "Microsoft.Compute", category: "Storage", subcategory: "Block Storage", operation: "Premium SSD Managed Disks", meter: "P30 LRS Disk",
			description: "Premium SSD Managed Disks - P30 LRS", unit: "1/Month", price: 122.88, weight: 125, mean: 1.4, elastic: true, prefix: "disk-", kind: "disks",
		},
		{
			service: "Storage", code: "Microsoft.Storage", category: "Storage", subcategory: "Object Storage", operation: "Tiered Block Blob", meter: "Hot LRS Data Stored",
			description: "Tiered Block Blob - Hot LRS Data Stored", unit: "1 GB/Month", price: 0.0184, weight: 55, mean: 6.3, prefix: "stnorthfield", kind: "storageAccounts", discount: 0.05,
		},
		{
			service: "Storage", code: "Microsoft.Storage", category: "Storage", subcategory: "Object Storage", operation: "Tiered Block Blob", meter: "Hot LRS Write Operations",
			description: "Tiered Block Blob - Hot LRS Write Operations", unit: "10K", price: 0.05, weight: 35, mean: 0.22, prefix: "stnorthfield", kind: "storageAccounts",
		},
		{
			service: "Azure NetApp Files", code: "Microsoft.NetApp", category: "Storage", subcategory: "File Storage", operation: "Azure NetApp Files", meter: "Premium Capacity",
			description: "Azure NetApp Files - Premium Capacity", unit: "1 GiB/Hour", price: 0.000403, weight: 64, mean: 16, prefix: "anf-", kind: "netAppAccounts/capacityPools", discount: 0.05,
		},
		{
			service: "Container Registry", code: "Microsoft.ContainerRegistry", category: "Developer Tools", subcategory: "Container Registry", operation: "Container Registry", meter: "Premium Registry Unit",
			description: "Container Registry - Premium Registry Unit", unit: "1/Day", price: 1.6666, weight: 15, mean: 0.27, prefix: "cr", kind: "registries",
		},
	}
}

func azureAround() []sku {
	return []sku{
		{
			service: "Bandwidth", code: "Microsoft.Compute", category: "Networking", subcategory: "Network Infrastructure", operation: "Rtn Preference: MGN", meter: "Standard Data Transfer Out",
			description: "Bandwidth - Standard Data Transfer Out", unit: "1 GB", price: 0.087, weight: 60, mean: 4.4, elastic: true, prefix: "vm-", kind: "virtualMachines",
		},
		{
			service: "NAT Gateway", code: "Microsoft.Network", category: "Networking", subcategory: "Network Infrastructure", operation: "NAT Gateway", meter: "Standard Gateway",
			description: "NAT Gateway - Standard Gateway", unit: "1 Hour", price: 0.045, weight: 25, mean: 1.08, prefix: "natgw-", kind: "natGateways",
		},
		{
			service: "Azure Database for PostgreSQL", code: "Microsoft.DBforPostgreSQL", category: "Databases", subcategory: "Relational Databases", operation: "Flexible Server General Purpose Dsv5 Series Compute",
			meter: "vCore", description: "Azure Database for PostgreSQL Flexible Server - vCore", unit: "1 Hour", price: 0.318, weight: 24, mean: 7.6, prefix: "psql-", kind: "flexibleServers", instance: "Standard_D4s_v5",
		},
		{
			service: "Azure Cosmos DB", code: "Microsoft.DocumentDB", category: "Databases", subcategory: "NoSQL Databases", operation: "Azure Cosmos DB serverless", meter: "1M RUs",
			description: "Azure Cosmos DB serverless - 1M RUs", unit: "1M", price: 0.25, weight: 15, mean: 0.4, prefix: "cosmos-", kind: "databaseAccounts",
		},
		{
			service: "Log Analytics", code: "microsoft.operationalinsights", category: "Management and Governance", subcategory: "Observability", operation: "Log Analytics", meter: "Analytics Logs Data Ingestion",
			description: "Log Analytics - Analytics Logs Data Ingestion", unit: "1 GB", price: 2.3, weight: 60, mean: 1.2, prefix: "log-", kind: "workspaces",
		},
		{
			service: "Key Vault", code: "Microsoft.KeyVault", category: "Security", subcategory: "Other (Security)", operation: "Key Vault", meter: "Operations",
			description: "Key Vault - Operations", unit: "10K", price: 0.03, weight: 25, mean: 0.05, prefix: "kv-", kind: "vaults",
		},
		{
			service: "Azure DNS", code: "Microsoft.Network", category: "Networking", subcategory: "Network Infrastructure", operation: "Azure DNS", meter: "Public Zones",
			description: "Azure DNS - Public Zones", unit: "1", price: 0.5, weight: 7, mean: 0.02, prefix: "zone", kind: "dnszones",
		},
	}
}

// azureRegions are listed by falling use: as many as regions(), which the draw counts.
func azureRegions() []region {
	return []region{
		{"eastus", "East US", "US East"}, {"eastus2", "East US 2", "US East 2"}, {"westus2", "West US 2", "US West 2"},
		{"westeurope", "West Europe", "EU West"}, {"northeurope", "North Europe", "EU North"}, {"australiaeast", "Australia East", "AU East"},
	}
}
