-- FOCUS 1.0, 1.0r2 and 1.2-preview as Cost Management delivers it, to the columns that the lake stores, with the
-- repairs of clouds.md §3.10.
--
-- A subscription is written /subscriptions/{guid}: its last part, in lower case, is what accounts go by; what was
-- delivered stays as x_SubAccountPath. A billing period is always a whole month.
-- Marketplace charges and reservation usage come with a list or contracted cost of 0, which is not so: it is not known.
-- Such a cost is left out here, for the parser counts it as 0 and says of how many charges; a unit price of 0 is none.
-- The CSV of 1.0 writes times without seconds, and 1.0 has columns under names of Azure's own that 1.2 gives FOCUS names.
-- Tags whose text is no JSON object are kept as text, x_Tags: the charge counts all the same.
SELECT
  AvailabilityZone,
  BilledCost,
  BillingAccountId,
  BillingAccountName,
  BillingAccountType,
  upper(BillingCurrency) AS BillingCurrency,
  month_start + INTERVAL 1 MONTH AS BillingPeriodEnd,
  month_start AS BillingPeriodStart,
  CapacityReservationId,
  CapacityReservationStatus,
  ChargeCategory,
  NULLIF(ChargeClass, '') AS ChargeClass,
  ChargeDescription,
  ChargeFrequency,
  CASE WHEN charge_end > charge_start THEN charge_end
       WHEN charge_start IS NOT NULL THEN charge_start + INTERVAL 1 DAY END AS ChargePeriodEnd,
  ChargePeriodStart,
  CommitmentDiscountCategory,
  lower(CommitmentDiscountId) AS CommitmentDiscountId,
  CommitmentDiscountName,
  CommitmentDiscountQuantity,
  CommitmentDiscountStatus,
  CommitmentDiscountType,
  CommitmentDiscountUnit,
  ConsumedQuantity,
  ConsumedUnit,
  CASE WHEN unpriced AND TRY_CAST(ContractedCost AS DOUBLE) = 0 THEN NULL ELSE ContractedCost END AS ContractedCost,
  CASE WHEN unpriced AND TRY_CAST(ContractedUnitPrice AS DOUBLE) = 0 THEN NULL ELSE ContractedUnitPrice END AS ContractedUnitPrice,
  EffectiveCost,
  COALESCE(NULLIF(InvoiceId, ''), NULLIF(CAST(x_InvoiceId AS VARCHAR), '')) AS InvoiceId,
  COALESCE(NULLIF(InvoiceIssuerName, ''), 'Microsoft') AS InvoiceIssuerName,
  CASE WHEN unpriced AND TRY_CAST(ListCost AS DOUBLE) = 0 THEN NULL ELSE ListCost END AS ListCost,
  CASE WHEN unpriced AND TRY_CAST(ListUnitPrice AS DOUBLE) = 0 THEN NULL ELSE ListUnitPrice END AS ListUnitPrice,
  PricingCategory,
  COALESCE(NULLIF(PricingCurrency, ''), NULLIF(CAST(x_PricingCurrency AS VARCHAR), '')) AS PricingCurrency,
  PricingCurrencyContractedUnitPrice,
  PricingCurrencyEffectiveCost,
  PricingCurrencyListUnitPrice,
  PricingQuantity,
  PricingUnit,
  COALESCE(NULLIF(ProviderName, ''), 'Microsoft') AS ProviderName,
  COALESCE(NULLIF(PublisherName, ''), 'Microsoft') AS PublisherName,
  RegionId,
  RegionName,
  ResourceId,
  ResourceName,
  ResourceType,
  COALESCE(NULLIF(ServiceCategory, ''), 'Other') AS ServiceCategory,
  COALESCE(NULLIF(ServiceName, ''), CASE WHEN publisher = 'Vendor' THEN NULLIF(PublisherName, '') END, subcategory, 'Microsoft') AS ServiceName,
  COALESCE(NULLIF(ServiceSubcategory, ''), 'Other (Other)') AS ServiceSubcategory,
  SkuId,
  COALESCE(NULLIF(SkuMeter, ''), NULLIF(CAST(x_SkuMeterName AS VARCHAR), '')) AS SkuMeter,
  COALESCE(SkuPriceDetails, x_SkuDetails) AS SkuPriceDetails,
  SkuPriceId,
  NULLIF(lower(regexp_extract(SubAccountId, '([^/]*)/*$', 1)), '') AS SubAccountId,
  SubAccountName,
  SubAccountType,
  COALESCE(NULLIF(ServiceProviderName, ''), NULLIF(ProviderName, ''), 'Microsoft') AS ServiceProviderName,
  COALESCE(NULLIF(HostProviderName, ''), CASE WHEN publisher IS DISTINCT FROM 'Vendor' THEN 'Microsoft' END) AS HostProviderName,
  InvoiceDetailId,
  CASE WHEN whole_tags THEN tag_text END AS Tags,
  CASE WHEN extra = '' THEN x_Other
       ELSE '{' || extra || CASE WHEN x_Other IS NULL THEN '}' ELSE ',' || substr(x_Other, 2) END END AS x_Other
FROM (
  SELECT *,
    COALESCE(json_valid(tag_text), false) AND COALESCE(CASE WHEN json_valid(tag_text) THEN json_type(tag_text) END = 'OBJECT', false) AS whole_tags,
    concat_ws(',', CASE WHEN contains(SubAccountId, '/') THEN '"x_SubAccountPath":' || CAST(to_json(CAST(SubAccountId AS VARCHAR)) AS VARCHAR) END,
      CASE WHEN tag_text IS NOT NULL AND NOT whole_tags THEN '"x_Tags":' || CAST(to_json(CAST(Tags AS VARCHAR)) AS VARCHAR) END) AS extra
  FROM (
  SELECT *,
    CASE WHEN typeof(Tags) <> 'VARCHAR' THEN CAST(to_json(Tags) AS VARCHAR)
         WHEN trim(CAST(Tags AS VARCHAR)) IN ('', 'null') THEN NULL
         WHEN starts_with(trim(CAST(Tags AS VARCHAR)), '{') THEN CAST(Tags AS VARCHAR)
         ELSE '{' || CAST(Tags AS VARCHAR) || '}' END AS tag_text,
    date_trunc('month', COALESCE(TRY_CAST(BillingPeriodStart AS TIMESTAMP), try_strptime(CAST(BillingPeriodStart AS VARCHAR), '%Y-%m-%dT%H:%MZ'), CAST(BillingPeriodStart AS TIMESTAMP))) AS month_start,
    COALESCE(TRY_CAST(ChargePeriodStart AS TIMESTAMP), try_strptime(CAST(ChargePeriodStart AS VARCHAR), '%Y-%m-%dT%H:%MZ'), CAST(ChargePeriodStart AS TIMESTAMP)) AS charge_start,
    COALESCE(TRY_CAST(ChargePeriodEnd AS TIMESTAMP), try_strptime(CAST(ChargePeriodEnd AS VARCHAR), '%Y-%m-%dT%H:%MZ'), CAST(ChargePeriodEnd AS TIMESTAMP)) AS charge_end,
    CAST(x_PublisherCategory AS VARCHAR) AS publisher,
    NULLIF(CAST(x_SkuMeterSubcategory AS VARCHAR), '') AS subcategory,
    COALESCE((CAST(x_PublisherCategory AS VARCHAR) = 'Vendor' OR NULLIF(CAST(CommitmentDiscountId AS VARCHAR), '') IS NOT NULL)
      AND (TRY_CAST(BilledCost AS DOUBLE) <> 0 OR TRY_CAST(EffectiveCost AS DOUBLE) <> 0), false) AS unpriced
  FROM (
    SELECT * FROM raw UNION ALL BY NAME SELECT NULL AS x_PublisherCategory, NULL AS x_SkuMeterSubcategory,
      NULL AS x_InvoiceId, NULL AS x_PricingCurrency, NULL AS x_SkuMeterName, NULL AS x_SkuDetails WHERE false
  ) AS whole
  ) AS repaired
) AS focus
