-- A cost and usage report (CUR 2.0, or the legacy report as CSV or Parquet) as FOCUS rows (clouds.md §2.10).
--
-- One row comes out for each row that goes in, so that the parser can count them. Rows of split cost allocation repeat
-- the usage of an instance that is on the bill already: they stay, at no cost. Each cost is passed on as the text or
-- double that was delivered; where a cost has to be computed, it is computed in decimals.
--
-- EffectiveCost amortises: usage that a savings plan or reservation covers costs its share of the commitment, and a
-- commitment's own fee costs what nobody used of it. A savings plan's negation takes back what its covered usage would
-- have been billed: it counts in BilledCost alone. Where a report lacks the column that says so, EffectiveCost is NULL,
-- and the month is refused: unknown is not zero.
SELECT
  AvailabilityZone,
  CASE WHEN split THEN '0' ELSE CAST(unblended AS VARCHAR) END AS BilledCost,
  payer AS BillingAccountId,
  payer_name AS BillingAccountName,
  currency AS BillingCurrency,
  period_end AS BillingPeriodEnd,
  period_start AS BillingPeriodStart,
  CASE WHEN kind IN ('Fee', 'RIFee', 'SavingsPlanRecurringFee', 'SavingsPlanUpfrontFee', 'FlatRateSubscription') THEN 'Purchase'
       WHEN kind = 'Tax' THEN 'Tax'
       WHEN kind = 'Credit' THEN 'Credit'
       WHEN usage OR kind IN ('SavingsPlanNegation', 'Refund') THEN 'Usage'
       ELSE 'Adjustment' END AS ChargeCategory,
  CASE WHEN kind = 'Refund' AND TRY_CAST(charge_start AS TIMESTAMP) < TRY_CAST(period_start AS TIMESTAMP) THEN 'Correction' END AS ChargeClass,
  description AS ChargeDescription,
  CASE WHEN usage OR kind = 'SavingsPlanNegation' THEN 'Usage-Based'
       WHEN kind IN ('RIFee', 'SavingsPlanRecurringFee', 'FlatRateSubscription') THEN 'Recurring'
       ELSE 'One-Time' END AS ChargeFrequency,
  charge_end AS ChargePeriodEnd,
  charge_start AS ChargePeriodStart,
  CASE WHEN plan IS NOT NULL THEN 'Spend' WHEN reservation IS NOT NULL THEN 'Usage' END AS CommitmentDiscountCategory,
  COALESCE(plan, reservation) AS CommitmentDiscountId,
  CASE WHEN kind IN ('SavingsPlanCoveredUsage', 'DiscountedUsage') THEN 'Used' END AS CommitmentDiscountStatus,
  CASE WHEN plan IS NOT NULL THEN COALESCE(plan_type, 'Savings Plan') WHEN reservation IS NOT NULL THEN 'Reserved Instance' END AS CommitmentDiscountType,
  CASE WHEN usage AND NOT split THEN quantity END AS ConsumedQuantity,
  CASE WHEN usage AND NOT split THEN unit END AS ConsumedUnit,
  CASE WHEN split OR kind = 'SavingsPlanNegation' THEN '0'
       WHEN kind = 'DiscountedUsage' THEN COALESCE(on_demand, CAST(unblended AS VARCHAR))
       ELSE CAST(unblended AS VARCHAR) END AS ContractedCost,
  unblended_rate AS ContractedUnitPrice,
  CASE WHEN split THEN '0'
       WHEN kind = 'SavingsPlanCoveredUsage' THEN plan_effective
       WHEN kind = 'SavingsPlanRecurringFee' THEN CAST(CAST(plan_total AS DECIMAL(38,18)) - CAST(plan_used AS DECIMAL(38,18)) AS VARCHAR)
       WHEN kind IN ('SavingsPlanNegation', 'SavingsPlanUpfrontFee') THEN '0'
       WHEN kind = 'DiscountedUsage' THEN reservation_effective
       WHEN kind = 'RIFee' AND COALESCE(unused_upfront, unused_recurring) IS NOT NULL
         THEN CAST(COALESCE(CAST(unused_upfront AS DECIMAL(38,18)), 0) + COALESCE(CAST(unused_recurring AS DECIMAL(38,18)), 0) AS VARCHAR)
       WHEN kind = 'RIFee' THEN NULL
       WHEN kind = 'Fee' AND reservation IS NOT NULL THEN '0'
       WHEN kind = 'Refund' AND (plan IS NOT NULL OR code = 'ComputeSavingsPlans') THEN '0'
       ELSE CAST(unblended AS VARCHAR) END AS EffectiveCost,
  invoice AS InvoiceId,
  issuer AS InvoiceIssuerName,
  CASE WHEN split OR kind = 'SavingsPlanNegation' OR kind LIKE '%Discount' THEN '0'
       WHEN usage THEN COALESCE(on_demand, CAST(unblended AS VARCHAR))
       ELSE CAST(unblended AS VARCHAR) END AS ListCost,
  on_demand_rate AS ListUnitPrice,
  CASE WHEN kind IN ('SavingsPlanCoveredUsage', 'DiscountedUsage') OR plan IS NOT NULL THEN 'Committed'
       WHEN contains(meter, 'SpotUsage') THEN 'Dynamic'
       WHEN kind = 'Usage' THEN 'Standard' END AS PricingCategory,
  pricing_currency AS PricingCurrency,
  CASE WHEN usage AND NOT split THEN quantity END AS PricingQuantity,
  CASE WHEN usage AND NOT split THEN unit END AS PricingUnit,
  'AWS' AS ProviderName,
  COALESCE(seller, 'AWS') AS PublisherName,
  COALESCE(region_code, region_text) AS RegionId,
  region_name AS RegionName,
  resource AS ResourceId,
  CASE WHEN contains(meter, 'EBS:') OR code IN ('AmazonS3', 'AmazonEFS', 'AmazonFSx', 'AmazonGlacier', 'AWSBackup', 'AWSStorageGateway') THEN 'Storage'
       WHEN contains(meter, 'DataTransfer') OR code IN ('AWSDataTransfer', 'AmazonVPC', 'AmazonRoute53', 'AmazonCloudFront', 'AWSELB', 'AWSDirectConnect', 'AWSGlobalAccelerator') THEN 'Networking'
       WHEN code IN ('AmazonEC2', 'AWSLambda', 'AmazonECS', 'AmazonEKS', 'AmazonLightsail', 'ComputeSavingsPlans', 'AWSElasticBeanstalk', 'AWSBatch') THEN 'Compute'
       WHEN code IN ('AmazonRDS', 'AmazonDynamoDB', 'AmazonElastiCache', 'AmazonNeptune', 'AmazonDocDB', 'AmazonMemoryDB', 'AmazonTimestream') THEN 'Databases'
       WHEN code IN ('AmazonRedshift', 'AmazonAthena', 'AWSGlue', 'ElasticMapReduce', 'AmazonKinesis', 'AmazonKinesisFirehose', 'AmazonQuickSight', 'AmazonES', 'AmazonMSK') THEN 'Analytics'
       WHEN code IN ('AmazonSageMaker', 'AmazonBedrock', 'AmazonRekognition', 'AmazonTextract', 'AmazonTranscribe', 'AmazonPolly', 'comprehend') THEN 'AI and Machine Learning'
       WHEN code IN ('awskms', 'AWSSecretsManager', 'awswaf', 'AmazonGuardDuty', 'AWSSecurityHub', 'AmazonInspectorV2', 'AmazonCognito', 'AWSDirectoryService') THEN 'Security'
       WHEN code IN ('AmazonCloudWatch', 'AWSCloudTrail', 'AWSConfig', 'AWSSystemsManager', 'AWSCloudFormation') THEN 'Management and Governance'
       WHEN code IN ('AmazonECR', 'CodeBuild', 'AWSCodePipeline', 'AWSCodeArtifact', 'AWSXRay') THEN 'Developer Tools'
       WHEN code IN ('AWSQueueService', 'AmazonSNS', 'AmazonMQ', 'AWSEvents', 'AmazonStates', 'AmazonApiGateway', 'AWSAppSync') THEN 'Integration'
       ELSE 'Other' END AS ServiceCategory,
  COALESCE(service, code) AS ServiceName,
  'Other (Other)' AS ServiceSubcategory,
  sku AS SkuId,
  meter AS SkuMeter,
  rate AS SkuPriceId,
  COALESCE(account, payer) AS SubAccountId,
  CASE WHEN account IS NULL THEN payer_name ELSE account_name END AS SubAccountName,
  CASE WHEN account IS NOT NULL THEN 'Account' END AS SubAccountType,
  'AWS' AS ServiceProviderName,
  Tags,
  x_Other
FROM (
  SELECT *,
    COALESCE(kind IN ('Usage', 'DiscountedUsage', 'SavingsPlanCoveredUsage'), false) AS usage,
    COALESCE(operation IN ('EKSPod-EC2', 'ECSTask-EC2'), false) AS split
  FROM (/* rows */)
) AS cur
