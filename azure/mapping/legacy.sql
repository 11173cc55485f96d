-- Actual cost, amortized cost and usage, as Cost Management delivered them before FOCUS, as FOCUS rows (clouds.md
-- §3.10). The headers of Enterprise Agreements, Customer Agreements and pay-as-you-go differ in their words: the inner
-- SELECT brings them under one set of names. One row comes out for each that goes in.
--
-- What a row's cost means depends on the set it is of (docs/decisions/0007):
--   both       the set stands alone, and its cost is billed and effective (actual cost, usage)
--   alone      amortized cost alone: what a commitment covers was billed when it was bought, and is not billed again
--   actual     one half of a pair: gives BilledCost
--   amortized  the other half: gives EffectiveCost, ListCost, ContractedCost and quantities
--
-- Tags come as a JSON object, mostly without its braces; what is none is kept as text, x_Tags, and the charge counts.
--
-- Who is billed is the billing profile, where there is one. Prices of a Customer Agreement are in the pricing currency;
-- they become prices in the billing currency by the row's own rate, and without one there is none.
--
-- Costs pass as the text that was delivered. List and contracted costs are computed where they are not: the quantity to
-- 8 decimals by the price to 10, in decimals. Without a price of either kind the cost itself stands in.
SELECT
  AvailabilityZone,
  CASE role WHEN 'amortized' THEN '0' WHEN 'alone' THEN CASE WHEN committed THEN '0' ELSE cost END ELSE cost END AS BilledCost,
  COALESCE(NULLIF(CAST(BillingProfileId AS VARCHAR), ''), NULLIF(CAST(BillingAccountId AS VARCHAR), '')) AS BillingAccountId,
  COALESCE(NULLIF(CAST(BillingProfileName AS VARCHAR), ''), NULLIF(CAST(BillingAccountName AS VARCHAR), '')) AS BillingAccountName,
  currency AS BillingCurrency,
  month_start + INTERVAL 1 MONTH AS BillingPeriodEnd,
  month_start AS BillingPeriodStart,
  CASE WHEN kind IN ('usage', 'unusedreservation', 'unusedsavingsplan') OR kind IS NULL THEN 'Usage'
       WHEN kind IN ('purchase', 'refund') THEN 'Purchase'
       WHEN kind = 'tax' THEN 'Tax'
       WHEN kind = 'credit' THEN 'Credit'
       ELSE 'Adjustment' END AS ChargeCategory,
  CASE WHEN kind = 'refund' THEN 'Correction' END AS ChargeClass,
  product AS ChargeDescription,
  CASE WHEN frequency = 'onetime' THEN 'One-Time'
       WHEN frequency = 'recurring' THEN 'Recurring'
       WHEN frequency = 'usagebased' OR kind = 'usage' OR kind IS NULL THEN 'Usage-Based'
       ELSE 'One-Time' END AS ChargeFrequency,
  day + INTERVAL 1 DAY AS ChargePeriodEnd,
  day AS ChargePeriodStart,
  CASE WHEN commitment IS NULL THEN NULL WHEN contains(lower(commitment), 'savingsplan') OR model = 'savingsplan' THEN 'Spend' ELSE 'Usage' END AS CommitmentDiscountCategory,
  lower(commitment) AS CommitmentDiscountId,
  commitment_name AS CommitmentDiscountName,
  CASE WHEN commitment IS NULL THEN NULL WHEN starts_with(kind, 'unused') THEN 'Unused' WHEN kind = 'usage' AND committed THEN 'Used' END AS CommitmentDiscountStatus,
  CASE WHEN commitment IS NULL THEN NULL WHEN contains(lower(commitment), 'savingsplan') OR model = 'savingsplan' THEN 'Savings Plan' ELSE 'Reservation' END AS CommitmentDiscountType,
  CASE WHEN measured AND is_usage THEN quantity END AS ConsumedQuantity,
  CASE WHEN measured AND is_usage THEN unit END AS ConsumedUnit,
  CASE role WHEN 'actual' THEN '0' ELSE COALESCE(CAST(contracted AS VARCHAR), cost) END AS ContractedCost,
  billed_unit_price AS ContractedUnitPrice,
  CASE role WHEN 'actual' THEN '0' ELSE cost END AS EffectiveCost,
  NULLIF(CAST(InvoiceId AS VARCHAR), '') AS InvoiceId,
  COALESCE(NULLIF(CAST(PartnerName AS VARCHAR), ''), 'Microsoft') AS InvoiceIssuerName,
  CASE role WHEN 'actual' THEN '0' ELSE COALESCE(list_cost, CAST(list AS VARCHAR), CAST(contracted AS VARCHAR), cost) END AS ListCost,
  billed_list_price AS ListUnitPrice,
  CASE WHEN kind IN ('purchase', 'tax', 'refund') THEN NULL WHEN model = 'ondemand' THEN 'Standard' WHEN model IN ('reservation', 'savingsplan') THEN 'Committed' WHEN model = 'spot' THEN 'Dynamic' END AS PricingCategory,
  pricing_currency AS PricingCurrency,
  CASE WHEN pricing_currency IS NOT NULL THEN unit_price END AS PricingCurrencyContractedUnitPrice,
  CASE WHEN pricing_currency IS NOT NULL THEN list_price END AS PricingCurrencyListUnitPrice,
  CASE WHEN measured THEN quantity END AS PricingQuantity,
  CASE WHEN measured THEN unit END AS PricingUnit,
  'Microsoft' AS ProviderName,
  COALESCE(NULLIF(CAST(PublisherName AS VARCHAR), ''), 'Microsoft') AS PublisherName,
  replace(lower(location), ' ', '') AS RegionId,
  location AS RegionName,
  resource AS ResourceId,
  COALESCE(NULLIF(CAST(ResourceName AS VARCHAR), ''), NULLIF(regexp_extract(resource, '([^/]*)$', 1), '')) AS ResourceName,
  resource_type AS ResourceType,
  CASE WHEN family IN ('ai + machine learning', 'ai and machine learning') OR category LIKE 'Cognitive%' OR category LIKE '%OpenAI%' THEN 'AI and Machine Learning'
       WHEN category IN ('Storage', 'Azure NetApp Files', 'Backup') OR family = 'storage' THEN 'Storage'
       WHEN category IN ('Bandwidth', 'Virtual Network', 'Load Balancer', 'Application Gateway', 'VPN Gateway', 'ExpressRoute', 'Azure DNS', 'Content Delivery Network', 'Azure Firewall', 'Azure Front Door Service', 'NAT Gateway') OR family = 'networking' THEN 'Networking'
       WHEN category LIKE 'SQL%' OR category LIKE 'Azure Database%' OR category LIKE '%Cosmos DB%' OR category IN ('Redis Cache', 'Azure Cache for Redis') OR family = 'databases' THEN 'Databases'
       WHEN category IN ('Log Analytics', 'Azure Monitor', 'Automation', 'Azure Site Recovery') OR family = 'management and governance' THEN 'Management and Governance'
       WHEN category IN ('Advanced Threat Protection', 'Advanced Data Security', 'Key Vault', 'Microsoft Defender for Cloud', 'Sentinel') OR family = 'security' THEN 'Security'
       WHEN family = 'analytics' OR category IN ('Azure Databricks', 'Azure Synapse Analytics', 'Azure Data Factory v2', 'Event Hubs', 'Stream Analytics', 'HDInsight') THEN 'Analytics'
       WHEN family = 'internet of things' THEN 'Internet of Things'
       WHEN family = 'integration' OR category IN ('Service Bus', 'Logic Apps', 'API Management', 'Event Grid') THEN 'Integration'
       WHEN family = 'developer tools' THEN 'Developer Tools'
       WHEN family IN ('identity', 'azure active directory') THEN 'Identity'
       WHEN family IN ('web', 'mobile', 'media', 'migration') THEN upper(family[1]) || family[2:]
       WHEN family IN ('compute', 'containers', 'windows virtual desktop') THEN 'Compute'
       ELSE 'Other' END AS ServiceCategory,
  COALESCE(category, CASE WHEN NULLIF(CAST(PublisherName AS VARCHAR), '') IS NOT NULL AND publisher = 'marketplace' THEN CAST(PublisherName AS VARCHAR) END, product, 'Microsoft') AS ServiceName,
  'Other (Other)' AS ServiceSubcategory,
  sku AS SkuId,
  meter AS SkuMeter,
  NULLIF(CAST(PartNumber AS VARCHAR), '') AS SkuPriceId,
  NULLIF(lower(regexp_extract(subscription, '([^/]*)/*$', 1)), '') AS SubAccountId,
  NULLIF(CAST(SubscriptionName AS VARCHAR), '') AS SubAccountName,
  CASE WHEN subscription IS NOT NULL THEN 'Subscription' END AS SubAccountType,
  'Microsoft' AS ServiceProviderName,
  CASE WHEN publisher IS DISTINCT FROM 'marketplace' THEN 'Microsoft' END AS HostProviderName,
  CASE WHEN whole_tags THEN tag_text END AS Tags,
  CASE WHEN tag_text IS NULL OR whole_tags THEN x_Other
       ELSE '{"x_Tags":' || CAST(to_json(delivered_tags) AS VARCHAR) || CASE WHEN x_Other IS NULL THEN '}' ELSE ',' || substr(x_Other, 2) END END AS x_Other
FROM (
  SELECT *,
    COALESCE(json_valid(tag_text), false) AND COALESCE(CASE WHEN json_valid(tag_text) THEN json_type(tag_text) END = 'OBJECT', false) AS whole_tags,
    COALESCE(CASE WHEN day_of_period = 1 THEN date_trunc('month', period_start) END, date_trunc('month', day)) AS month_start,
    kind IS NULL OR kind IN ('usage', 'unusedreservation', 'unusedsavingsplan') AS is_usage,
    role <> 'actual' AS measured,
    commitment IS NOT NULL AND (kind IS NULL OR kind IN ('usage', 'unusedreservation', 'unusedsavingsplan')) AND COALESCE(model, 'reservation') IN ('reservation', 'savingsplan') AS committed,
    COALESCE(pricing_currency <> currency, false) AS converted,
    CASE WHEN converted THEN CAST(TRY_CAST(TRY_CAST(list_price AS DECIMAL(18,10)) * rate AS DECIMAL(18,10)) AS VARCHAR) ELSE list_price END AS billed_list_price,
    CASE WHEN converted THEN CAST(TRY_CAST(TRY_CAST(unit_price AS DECIMAL(18,10)) * rate AS DECIMAL(18,10)) AS VARCHAR) ELSE unit_price END AS billed_unit_price,
    CASE WHEN TRY_CAST(billed_list_price AS DOUBLE) <> 0 THEN TRY_CAST(quantity AS DECIMAL(20,8)) * TRY_CAST(billed_list_price AS DECIMAL(18,10)) END AS list,
    CASE WHEN TRY_CAST(billed_unit_price AS DOUBLE) <> 0 THEN TRY_CAST(quantity AS DECIMAL(20,8)) * TRY_CAST(billed_unit_price AS DECIMAL(18,10)) END AS contracted
  FROM (
    SELECT
      x_Other, AvailabilityZone, BillingAccountId, BillingAccountName, BillingProfileId, BillingProfileName, InvoiceId, PartnerName, PublisherName, ResourceName,
      SubscriptionName, PartNumber,
      /* role */ AS role,
      COALESCE(NULLIF(CAST(CostInBillingCurrency AS VARCHAR), ''), NULLIF(CAST(Cost AS VARCHAR), ''), NULLIF(CAST(PreTaxCost AS VARCHAR), '')) AS cost,
      upper(COALESCE(NULLIF(CAST(BillingCurrency AS VARCHAR), ''), NULLIF(CAST(BillingCurrencyCode AS VARCHAR), ''), NULLIF(CAST(Currency AS VARCHAR), ''))) AS currency,
      NULLIF(upper(CAST(PricingCurrency AS VARCHAR)), '') AS pricing_currency,
      TRY_CAST(ExchangeRatePricingToBilling AS DECIMAL(16,8)) AS rate,
      COALESCE(NULLIF(CAST(Quantity AS VARCHAR), ''), NULLIF(CAST(UsageQuantity AS VARCHAR), '')) AS quantity,
      NULLIF(CAST(UnitOfMeasure AS VARCHAR), '') AS unit,
      COALESCE(NULLIF(CAST(UnitPrice AS VARCHAR), ''), NULLIF(CAST(ResourceRate AS VARCHAR), ''), NULLIF(CAST(EffectivePrice AS VARCHAR), '')) AS unit_price,
      NULLIF(CAST(PayGPrice AS VARCHAR), '') AS list_price,
      CASE WHEN TRY_CAST(PaygCostInBillingCurrency AS DOUBLE) <> 0 THEN CAST(PaygCostInBillingCurrency AS VARCHAR) END AS list_cost,
      lower(NULLIF(CAST(ChargeType AS VARCHAR), '')) AS kind,
      lower(NULLIF(CAST(Frequency AS VARCHAR), '')) AS frequency,
      lower(NULLIF(CAST(PricingModel AS VARCHAR), '')) AS model,
      lower(NULLIF(CAST(PublisherType AS VARCHAR), '')) AS publisher,
      COALESCE(NULLIF(CAST(BenefitId AS VARCHAR), ''), NULLIF(CAST(ReservationId AS VARCHAR), '')) AS commitment,
      COALESCE(NULLIF(CAST(BenefitName AS VARCHAR), ''), NULLIF(CAST(ReservationName AS VARCHAR), '')) AS commitment_name,
      COALESCE(NULLIF(CAST(Product AS VARCHAR), ''), NULLIF(CAST(ProductName AS VARCHAR), ''), NULLIF(CAST(MeterName AS VARCHAR), '')) AS product,
      COALESCE(NULLIF(CAST(ProductId AS VARCHAR), ''), NULLIF(CAST(MeterId AS VARCHAR), '')) AS sku,
      NULLIF(CAST(MeterName AS VARCHAR), '') AS meter,
      NULLIF(CAST(MeterCategory AS VARCHAR), '') AS category,
      lower(NULLIF(CAST(ServiceFamily AS VARCHAR), '')) AS family,
      COALESCE(NULLIF(CAST(ResourceLocationNormalized AS VARCHAR), ''), NULLIF(CAST(ResourceLocation AS VARCHAR), ''), NULLIF(CAST(Location AS VARCHAR), '')) AS location,
      COALESCE(NULLIF(CAST(ResourceId AS VARCHAR), ''), NULLIF(CAST(InstanceId AS VARCHAR), ''), NULLIF(CAST(InstanceName AS VARCHAR), '')) AS resource,
      COALESCE(NULLIF(CAST(ResourceType AS VARCHAR), ''), NULLIF(regexp_extract(CAST(ResourceId AS VARCHAR), '(?i)/providers/([^/]+/[^/]+)/[^/]+$', 1), '')) AS resource_type,
      COALESCE(NULLIF(CAST(SubscriptionId AS VARCHAR), ''), NULLIF(CAST(SubscriptionGuid AS VARCHAR), '')) AS subscription,
      CASE WHEN trim(CAST(Tags AS VARCHAR)) NOT IN ('', 'null') THEN trim(CAST(Tags AS VARCHAR)) END AS delivered_tags,
      CASE WHEN starts_with(delivered_tags, '{') THEN delivered_tags ELSE '{' || rtrim(delivered_tags, ',') || '}' END AS tag_text,
      COALESCE(try_strptime(CAST(day_text AS VARCHAR), ['%m/%d/%Y', '%m/%d/%Y %H:%M:%S', '%Y%m%d']), date_trunc('day', CAST(day_text AS TIMESTAMP))) AS day,
      COALESCE(try_strptime(CAST(start_text AS VARCHAR), ['%m/%d/%Y', '%m/%d/%Y %H:%M:%S', '%Y%m%d']), CAST(start_text AS TIMESTAMP)) AS period_start,
      extract(day FROM period_start) AS day_of_period
    FROM (
      SELECT *,
        COALESCE(NULLIF(CAST("Date" AS VARCHAR), ''), NULLIF(CAST(UsageDateTime AS VARCHAR), ''), NULLIF(CAST(UsageDate AS VARCHAR), '')) AS day_text,
        NULLIF(CAST(BillingPeriodStartDate AS VARCHAR), '') AS start_text
      FROM (
        SELECT * FROM raw UNION ALL BY NAME SELECT
          NULL AS CostInBillingCurrency, NULL AS Cost, NULL AS PreTaxCost, NULL AS BillingCurrencyCode, NULL AS Currency, NULL AS Quantity, NULL AS UsageQuantity,
          NULL AS UnitOfMeasure, NULL AS UnitPrice, NULL AS ResourceRate, NULL AS EffectivePrice, NULL AS PayGPrice, NULL AS PaygCostInBillingCurrency,
          NULL AS ChargeType, NULL AS Frequency, NULL AS PricingModel, NULL AS PublisherType, NULL AS BenefitId, NULL AS BenefitName, NULL AS ReservationId,
          NULL AS ReservationName, NULL AS Product, NULL AS ProductName, NULL AS ProductId, NULL AS MeterId, NULL AS MeterName, NULL AS MeterCategory,
          NULL AS ServiceFamily, NULL AS ResourceLocationNormalized, NULL AS ResourceLocation, NULL AS Location, NULL AS InstanceId, NULL AS InstanceName,
          NULL AS SubscriptionId, NULL AS SubscriptionGuid, NULL AS SubscriptionName, NULL AS PartNumber, NULL AS "Date", NULL AS UsageDateTime,
          NULL AS UsageDate, NULL AS BillingPeriodStartDate, NULL AS BillingProfileId, NULL AS BillingProfileName, NULL AS PartnerName,
          NULL AS ExchangeRatePricingToBilling
        WHERE false
      ) AS whole
    ) AS dated
  ) AS named
) AS legacy
