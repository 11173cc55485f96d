-- Rows of Google's detailed or standard usage cost export, read flat, as FOCUS rows (clouds.md §4.7).
--
-- cost is gross and credits are negative amounts: net is their sum, which BigQuery made per row, as decimals. Google
-- bills commitments monthly, so EffectiveCost is the billed cost: an approximation, in which fees and credits of a
-- commitment balance over the month and not on each row. The invoice month is cut in US Pacific time: a charge of the
-- last evening may lie outside of its billing period, and that is right. Taxes and fees without a project belong to the
-- billing account. A label key that occurs twice on a row is an error, said loudly by map_from_entries.
SELECT
  location_zone AS AvailabilityZone,
  net AS BilledCost,
  billing_account_id AS BillingAccountId,
  'Billing Account' AS BillingAccountType,
  currency AS BillingCurrency,
  month_start + INTERVAL 1 MONTH AS BillingPeriodEnd,
  month_start AS BillingPeriodStart,
  category AS ChargeCategory,
  CASE WHEN NULLIF(adjustment_info_type, '') IS NOT NULL
         OR (cost_type = 'adjustment' AND TRY_CAST(usage_start_time AS TIMESTAMP) < month_start) THEN 'Correction' END AS ChargeClass,
  sku_description AS ChargeDescription,
  CASE category WHEN 'Usage' THEN 'Usage-Based' WHEN 'Purchase' THEN 'Recurring' ELSE 'One-Time' END AS ChargeFrequency,
  usage_end_time AS ChargePeriodEnd,
  usage_start_time AS ChargePeriodStart,
  CASE WHEN category = 'Usage' THEN usage_amount END AS ConsumedQuantity,
  CASE WHEN category = 'Usage' THEN usage_unit END AS ConsumedUnit,
  gross AS ContractedCost,
  net AS EffectiveCost,
  'Google Cloud' AS InvoiceIssuerName,
  COALESCE(CAST(cost_at_list AS DECIMAL(38,18)), gross) AS ListCost,
  price_effective_price AS ContractedUnitPrice,
  CASE WHEN committed OR category = 'Purchase' THEN 'Committed'
       WHEN contains(sku_description, 'Spot') OR contains(sku_description, 'Preemptible') THEN 'Dynamic'
       WHEN category = 'Usage' THEN 'Standard' END AS PricingCategory,
  'USD' AS PricingCurrency,
  CASE WHEN TRY_CAST(currency_conversion_rate AS DOUBLE) <> 0 THEN CAST(net AS DOUBLE) / TRY_CAST(currency_conversion_rate AS DOUBLE) END AS PricingCurrencyEffectiveCost,
  usage_amount_in_pricing_units AS PricingQuantity,
  usage_pricing_unit AS PricingUnit,
  'Google Cloud' AS ProviderName,
  COALESCE(NULLIF(seller_name, ''), 'Google') AS PublisherName,
  location_region AS RegionId,
  location_region AS RegionName,
  COALESCE(resource_global_name, resource_name) AS ResourceId,
  resource_name AS ResourceName,
  /* service category */ AS ServiceCategory,
  service_description AS ServiceName,
  'Other (Other)' AS ServiceSubcategory,
  sku_id AS SkuId,
  sku_description AS SkuMeter,
  COALESCE(NULLIF(project_id, ''), billing_account_id) AS SubAccountId,
  CASE WHEN NULLIF(project_id, '') IS NULL THEN 'Billing account ' || billing_account_id ELSE COALESCE(NULLIF(project_name, ''), project_id) END AS SubAccountName,
  CASE WHEN NULLIF(project_id, '') IS NULL THEN 'Billing Account' ELSE 'Project' END AS SubAccountType,
  COALESCE(NULLIF(seller_name, ''), 'Google Cloud') AS ServiceProviderName,
  'Google Cloud' AS HostProviderName,
  map_from_entries(list_transform(
    list_concat(own_labels, list_filter(inherited_labels, lambda p: NOT list_contains(list_transform(own_labels, lambda l: l.key), p.key))),
    lambda e: struct_pack(k := e.key, v := e.value))) AS Tags
FROM (
  SELECT *,
    CASE WHEN cost_type = 'tax' THEN 'Tax'
         WHEN cost_type IN ('adjustment', 'rounding_error') THEN 'Adjustment'
         WHEN starts_with(sku_description, 'Commitment') THEN 'Purchase'
         ELSE 'Usage' END AS category
  FROM (
    SELECT *,
      CAST(cost AS DECIMAL(38,18)) AS gross,
      CAST(cost AS DECIMAL(38,18)) + COALESCE(CAST(credits_total AS DECIMAL(38,18)), 0) AS net,
      strptime(invoice_month, '%Y%m') AS month_start,
      service_description AS service_name,
      COALESCE(from_json(labels, '[{"key":"VARCHAR","value":"VARCHAR"}]'), []) AS own_labels,
      COALESCE(from_json(project_labels, '[{"key":"VARCHAR","value":"VARCHAR"}]'), []) AS inherited_labels,
      contains(COALESCE(credits, ''), '"COMMITTED_USAGE_DISCOUNT') AS committed
    FROM raw
  )
)
