package bill

// sku is one thing that is sold: what a usage row is about.
type sku struct {
	service, code, category, subcategory string
	operation, meter, description        string
	unit                                 string  // ConsumedUnit and PricingUnit
	price                                float64 // list, per unit
	weight                               int     // rows in a thousand
	mean                                 float64 // USD a row, at list, on a working day
	elastic                              bool    // lives for a session; otherwise stands all month
	prefix, kind                         string  // how its resource ids begin, and ResourceType
	discount                             float64 // off list by contract
	committed                            int     // of a hundred rows, how many a savings plan covers
	spot, zone                           bool
	instance                             string
}

// catalogue is what a research-computing centre buys. Weights sum to 1,000; weight × mean to about 8.3 USD a row.
func catalogue() []sku {
	out := compute()
	out = append(out, storage()...)
	return append(out, around()...)
}

func compute() []sku {
	ec2 := func(instance, meter string, price float64, weight int, mean float64) sku {
		return sku{
			service: "Amazon Elastic Compute Cloud", code: "AmazonEC2", category: "Compute", subcategory: "Virtual Machines",
			operation: "RunInstances", meter: meter + ":" + instance, description: "per On Demand Linux " + instance + " Instance Hour",
			unit: "Hours", price: price, weight: weight, mean: mean, elastic: true, prefix: "i-", kind: "instance",
			discount: 0.06, committed: 22, zone: true, instance: instance,
		}
	}
	spot := ec2("c6i.16xlarge", "SpotUsage", 2.72, 50, 6.4)
	spot.spot, spot.discount, spot.committed, spot.description = true, 0.62, 0, "per Spot Linux c6i.16xlarge Instance Hour"
	gpu := ec2("g6.12xlarge", "BoxUsage", 4.6016, 45, 29)
	gpu.committed = 0
	large := ec2("p5.48xlarge", "BoxUsage", 55.04, 8, 190)
	large.committed = 0
	mpi := ec2("hpc7a.96xlarge", "BoxUsage", 7.2, 40, 24)
	head := ec2("m7i.2xlarge", "BoxUsage", 0.4032, 70, 9.1)
	head.elastic = false
	return []sku{
		ec2("c7i.8xlarge", "BoxUsage", 1.428, 130, 15.5), ec2("r7i.4xlarge", "BoxUsage", 1.0584, 70, 9.7), mpi, gpu, large, spot, head,
		{
			service: "Amazon SageMaker", code: "AmazonSageMaker", category: "AI and Machine Learning", subcategory: "Machine Learning", operation: "RunInstance",
			meter: "Notebk:ml.g5.2xlarge", description: "per Notebook ml.g5.2xlarge hour", unit: "Hours", price: 1.515, weight: 22, mean: 11, elastic: true,
			prefix: "notebook/", kind: "notebook-instance", discount: 0.04,
		},
		{
			service: "AWS Lambda", code: "AWSLambda", category: "Compute", subcategory: "Serverless Compute", operation: "Invoke", meter: "Lambda-GB-Second",
			description: "per GB-Second for AWS Lambda", unit: "GB-Second", price: 0.0000166667, weight: 45, mean: 0.31, prefix: "function:", kind: "function", committed: 10,
		},
		{
			service: "AWS Glue", code: "AWSGlue", category: "Analytics", subcategory: "Data Processing", operation: "Jobrun", meter: "ETL-DPU-Hour",
			description: "per Data Processing Unit-Hour", unit: "DPU-Hour", price: 0.44, weight: 10, mean: 3.8, elastic: true, prefix: "job/", kind: "job",
		},
	}
}

func storage() []sku {
	return []sku{
		{
			service: "Amazon Elastic Block Store", code: "AmazonEC2", category: "Storage", subcategory: "Block Storage", operation: "CreateVolume-Gp3",
			meter: "EBS:VolumeUsage.gp3", description: "per GB-month of General Purpose (gp3) provisioned storage", unit: "GB-Mo", price: 0.08, weight: 95, mean: 1.7, elastic: true,
			prefix: "vol-", kind: "volume", zone: true,
		},
		{
			service: "Amazon Elastic Block Store", code: "AmazonEC2", category: "Storage", subcategory: "Block Storage", operation: "CreateSnapshot",
			meter: "EBS:SnapshotUsage", description: "per GB-Month of snapshot data stored", unit: "GB-Mo", price: 0.05, weight: 30, mean: 0.62, prefix: "snapshot/snap-", kind: "snapshot",
		},
		{
			service: "Amazon Simple Storage Service", code: "AmazonS3", category: "Storage", subcategory: "Object Storage", operation: "StandardStorage",
			meter: "TimedStorage-ByteHrs", description: "per GB - first 50 TB / month of storage used", unit: "GB-Mo", price: 0.023, weight: 55, mean: 6.3,
			prefix: "nf-data-", kind: "bucket", discount: 0.05,
		},
		{
			service: "Amazon Simple Storage Service", code: "AmazonS3", category: "Storage", subcategory: "Object Storage", operation: "PutObject",
			meter: "Requests-Tier1", description: "per 1,000 PUT, COPY, POST, or LIST requests", unit: "Requests", price: 0.000005, weight: 35, mean: 0.22,
			prefix: "nf-data-", kind: "bucket",
		},
		{
			service: "Amazon FSx", code: "AmazonFSx", category: "Storage", subcategory: "File Storage", operation: "CreateFileSystem:Lustre",
			meter: "Lustre:Storage-SSD", description: "per GB-month of FSx for Lustre SSD storage", unit: "GB-Mo", price: 0.145, weight: 36, mean: 27,
			prefix: "file-system/fs-", kind: "file-system", discount: 0.05,
		},
		{
			service: "Amazon Elastic File System", code: "AmazonEFS", category: "Storage", subcategory: "File Storage", operation: "Standard",
			meter: "TimedStorage-ByteHrs", description: "per GB-Mo for Standard storage", unit: "GB-Mo", price: 0.3, weight: 28, mean: 4.1, prefix: "file-system/fs-", kind: "file-system",
		},
		{
			service: "Amazon EC2 Container Registry", code: "AmazonECR", category: "Developer Tools", subcategory: "Container Registry", operation: "ECR",
			meter: "TimedStorage-ByteHrs", description: "per GB-month of data storage", unit: "GB-Mo", price: 0.1, weight: 15, mean: 0.27, prefix: "repository/", kind: "repository",
		},
	}
}

func around() []sku {
	return []sku{
		{
			service: "AWS Data Transfer", code: "AWSDataTransfer", category: "Networking", subcategory: "Network Infrastructure", operation: "RunInstances",
			meter: "DataTransfer-Out-Bytes", description: "per GB - first 10 TB / month data transfer out", unit: "GB", price: 0.09, weight: 60, mean: 4.4, elastic: true,
			prefix: "i-", kind: "instance",
		},
		{
			service: "Amazon Virtual Private Cloud", code: "AmazonVPC", category: "Networking", subcategory: "Network Infrastructure", operation: "NatGateway",
			meter: "NatGateway-Hours", description: "per NAT Gateway Hour", unit: "Hours", price: 0.045, weight: 25, mean: 1.08, prefix: "natgateway/nat-", kind: "natgateway",
		},
		{
			service: "Amazon Relational Database Service", code: "AmazonRDS", category: "Databases", subcategory: "Relational Databases", operation: "CreateDBInstance:0014",
			meter: "InstanceUsage:db.m6g.xlarge", description: "per RDS db.m6g.xlarge Single-AZ instance hour running PostgreSQL", unit: "Hours", price: 0.318, weight: 24, mean: 7.6,
			prefix: "db:", kind: "db", instance: "db.m6g.xlarge", zone: true,
		},
		{
			service: "Amazon DynamoDB", code: "AmazonDynamoDB", category: "Databases", subcategory: "NoSQL Databases", operation: "CommittedThroughput",
			meter: "ReadRequestUnits", description: "per read request unit", unit: "ReadRequestUnits", price: 0.00000025, weight: 15, mean: 0.4, prefix: "table/", kind: "table",
		},
		{
			service: "AmazonCloudWatch", code: "AmazonCloudWatch", category: "Management and Governance", subcategory: "Observability", operation: "PutLogEvents",
			meter: "DataProcessing-Bytes", description: "per GB custom log data ingested", unit: "GB", price: 0.5, weight: 60, mean: 1.2, prefix: "log-group:", kind: "log-group",
		},
		{
			service: "AWS Key Management Service", code: "awskms", category: "Security", subcategory: "Security", operation: "Unknown", meter: "KMS-Keys",
			description: "per customer managed key", unit: "Keys", price: 1, weight: 15, mean: 0.033, prefix: "key/", kind: "key",
		},
		{
			service: "Amazon Route 53", code: "AmazonRoute53", category: "Networking", subcategory: "Domain Name System", operation: "HostedZone", meter: "HostedZone",
			description: "per Hosted Zone", unit: "HostedZones", price: 0.5, weight: 7, mean: 0.02, prefix: "hostedzone/Z", kind: "hostedzone",
		},
		{
			service: "AWS Secrets Manager", code: "AWSSecretsManager", category: "Security", subcategory: "Security", operation: "GetSecretValue", meter: "AWSSecretsManager-Secrets",
			description: "per Secret", unit: "Secrets", price: 0.4, weight: 10, mean: 0.05, prefix: "secret:", kind: "secret",
		},
	}
}

// region is a place on a bill.
type region struct{ id, name, short string }

// regions are listed by falling use.
func regions() []region {
	return []region{
		{"us-east-1", "US East (N. Virginia)", "USE1"}, {"us-east-2", "US East (Ohio)", "USE2"}, {"us-west-2", "US West (Oregon)", "USW2"},
		{"eu-west-1", "Europe (Ireland)", "EUW1"}, {"eu-central-1", "Europe (Frankfurt)", "EUC1"}, {"ap-southeast-2", "Asia Pacific (Sydney)", "APS2"},
	}
}
