-- Rows of Google's FOCUS export (preview of FOCUS 1.2) as the lake stores them (clouds.md §4.2, §4.7).
--
-- BilledCost is net already: ContractedCost and the credits make it. Adding x_Credits again would count them twice; the
-- reader checks the identity on each row. Google leaves out Tags, ServiceCategory, ServiceSubcategory and
-- InvoiceIssuerName: labels become Tags, those of the project behind those of the resource, and the category comes from
-- a table. Lists are JSON where a query read them, and lists of structs in a file that BigQuery itself exported.
SELECT
  AvailabilityZone,
  BilledCost,
  BillingAccountId,
  BillingAccountName,
  COALESCE(BillingAccountType, 'Billing Account') AS BillingAccountType,
  BillingCurrency,
  BillingPeriodEnd,
  BillingPeriodStart,
  ChargeCategory,
  NULLIF(ChargeClass, '') AS ChargeClass,
  ChargeDescription,
  COALESCE(ChargeFrequency, CASE WHEN ChargeCategory = 'Usage' THEN 'Usage-Based' ELSE 'One-Time' END) AS ChargeFrequency,
  ChargePeriodEnd,
  ChargePeriodStart,
  ConsumedQuantity,
  ConsumedUnit,
  ContractedCost,
  ContractedUnitPrice,
  EffectiveCost,
  COALESCE(InvoiceIssuerName, 'Google Cloud') AS InvoiceIssuerName,
  ListCost,
  ListUnitPrice,
  PricingCategory,
  PricingCurrency,
  PricingCurrencyContractedUnitPrice,
  PricingCurrencyEffectiveCost,
  PricingCurrencyListUnitPrice,
  PricingQuantity,
  PricingUnit,
  COALESCE(NULLIF(ProviderName, ''), 'Google Cloud') AS ProviderName,
  PublisherName,
  RegionId,
  RegionName,
  ResourceId,
  ResourceName,
  COALESCE(ServiceCategory, /* service category */) AS ServiceCategory,
  ServiceName,
  COALESCE(ServiceSubcategory, 'Other (Other)') AS ServiceSubcategory,
  SkuId,
  COALESCE(SkuMeter, ChargeDescription) AS SkuMeter,
  SkuPriceId,
  COALESCE(NULLIF(SubAccountId, ''), BillingAccountId) AS SubAccountId,
  CASE WHEN NULLIF(SubAccountId, '') IS NULL THEN 'Billing account ' || BillingAccountId ELSE COALESCE(NULLIF(SubAccountName, ''), SubAccountId) END AS SubAccountName,
  CASE WHEN NULLIF(SubAccountId, '') IS NULL THEN 'Billing Account' ELSE 'Project' END AS SubAccountType,
  COALESCE(NULLIF(ServiceProviderName, ''), 'Google Cloud') AS ServiceProviderName,
  'Google Cloud' AS HostProviderName,
  map_from_entries(list_transform(
    list_concat(own_labels, list_filter(inherited_labels, lambda p: NOT list_contains(list_transform(own_labels, lambda l: l.key), p.key))),
    lambda e: struct_pack(k := e.key, v := e.value))) AS Tags
FROM (
  SELECT *,
    x_ServiceId AS service_id,
    ServiceName AS service_name,
    COALESCE(from_json(CASE WHEN typeof(x_Labels) = 'VARCHAR' THEN CAST(x_Labels AS VARCHAR) ELSE CAST(to_json(x_Labels) AS VARCHAR) END, '[{"key":"VARCHAR","value":"VARCHAR"}]'), []) AS own_labels,
    COALESCE(from_json(CASE WHEN typeof(x_ProjectLabels) = 'VARCHAR' THEN CAST(x_ProjectLabels AS VARCHAR) ELSE CAST(to_json(x_ProjectLabels) AS VARCHAR) END, '[{"key":"VARCHAR","value":"VARCHAR"}]'), []) AS inherited_labels
  FROM raw
)
