package bill

// googleSKU is one thing that Google sells.
type googleSKU struct {
	service, name, sku, text string // service id and name, SKU id and description
	unit, pricingUnit        string
	factor                   float64 // usage units in a pricing unit
	price                    float64 // list, per pricing unit
	weight                   int     // rows in a hundred
	mean                     float64 // USD a row
	elastic                  bool    // lives for a session
	resource                 string  // prefix of resource.name; "" where the service reports none
	global                   string  // prefix of resource.global_name
	committed, sustained     int     // of a hundred rows, how many carry such a credit
	machine                  string
}

// googleCatalogue is what a research-computing centre buys. Weights sum to 100. The ids of services are Google's own;
// those of SKUs are made up in Google's shape.
func googleCatalogue() []googleSKU {
	const compute, engine = "6F81-5844-456A", "Compute Engine"
	vm := func(sku, text, machine string, price float64, weight int, mean float64) googleSKU {
		return googleSKU{
			service: compute, name: engine, sku: sku, text: text, unit: "seconds", pricingUnit: "hour", factor: 3600, price: price, weight: weight, mean: mean, elastic: true,
			resource: "instance-", global: "//compute.googleapis.com/projects/%p/zones/%z/instances/", machine: machine,
		}
	}
	core := vm("2DE1-7A51-08AE", "C3 Instance Core running in Americas", "c3-highcpu-44", 0.03398, 22, 14)
	core.committed, core.sustained = 30, 25
	ram := vm("8A11-06FC-73E9", "C3 Instance Ram running in Americas", "c3-highcpu-44", 0.004556, 16, 5)
	ram.committed, ram.sustained = 30, 25
	gpu := vm("B5C1-99D0-4E2A", "Nvidia H100 80GB GPU attached to Spot Preemptible VMs running in Americas", "a3-highgpu-8g", 2.253, 8, 120)
	return []googleSKU{
		core, ram, gpu,
		{service: compute, name: engine, sku: "D973-5D65-BAB2", text: "Storage PD Capacity", unit: "byte-seconds", pricingUnit: "gibibyte month", factor: 2.8e15, price: 0.04, weight: 12, mean: 1.9, elastic: true, resource: "disk-", global: "//compute.googleapis.com/projects/%p/zones/%z/disks/"},
		{service: "95FF-2EF5-5EA1", name: "Cloud Storage", sku: "E5F0-6A5D-7BAD", text: "Standard Storage US Multi-region", unit: "byte-seconds", pricingUnit: "gibibyte month", factor: 2.8e15, price: 0.026, weight: 12, mean: 6, resource: "nf-data-", global: "//storage.googleapis.com/projects/_/buckets/nf-data-"},
		{service: "95FF-2EF5-5EA1", name: "Cloud Storage", sku: "4DBF-185F-A415", text: "Regional Standard Class A Operations", unit: "requests", pricingUnit: "count", factor: 1, price: 0.000005, weight: 6, mean: 0.18, resource: "nf-data-", global: "//storage.googleapis.com/projects/_/buckets/nf-data-"},
		{service: "24E6-581D-38E5", name: "BigQuery", sku: "3362-E469-6BEF", text: "Analysis (us)", unit: "bytes", pricingUnit: "tebibyte", factor: 1.099511627776e12, price: 6.25, weight: 7, mean: 2.6},
		{service: "CCD8-9BF1-090E", name: "Kubernetes Engine", sku: "B561-BFBD-1264", text: "Regional Kubernetes Clusters", unit: "seconds", pricingUnit: "hour", factor: 3600, price: 0.1, weight: 6, mean: 2.4, resource: "cluster-", global: "//container.googleapis.com/projects/%p/locations/%r/clusters/cluster-"},
		{service: "9662-B51E-5089", name: "Cloud SQL", sku: "10F8-5A28-B6BB", text: "Cloud SQL for PostgreSQL: Zonal - vCPU in Americas", unit: "seconds", pricingUnit: "hour", factor: 3600, price: 0.0413, weight: 4, mean: 3.3, resource: "db-", global: "//cloudsql.googleapis.com/projects/%p/instances/db-", committed: 20},
		{service: "C7E2-9256-1C43", name: "Vertex AI", sku: "5A53-DB1F-5B7C", text: "Online/Batch Prediction NVIDIA Tesla T4 GPU in Americas", unit: "seconds", pricingUnit: "hour", factor: 3600, price: 0.4025, weight: 4, mean: 9, elastic: true, resource: "endpoint-", global: "//aiplatform.googleapis.com/projects/%p/locations/%r/endpoints/"},
		{service: "5490-F7B7-8DF6", name: "Cloud Logging", sku: "143F-A1B0-E0BE", text: "Log Storage cost", unit: "bytes", pricingUnit: "gibibyte", factor: 1.073741824e9, price: 0.5, weight: 3, mean: 0.7},
	}
}

// googleRegion is a place on a Google bill.
type googleRegion struct{ id, location, country, name string }

func googleRegions() []googleRegion {
	return []googleRegion{
		{"us-central1", "us-central1", "US", "Iowa"}, {"us-east4", "us-east4", "US", "Northern Virginia"}, {"europe-west4", "europe-west4", "NL", "Netherlands"}, {"asia-southeast1", "asia-southeast1", "SG", "Singapore"},
	}
}
