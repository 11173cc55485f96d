SELECT
  FORMAT_DATE('%Y%m', DATE(BillingPeriodStart, 'UTC')) AS month,
  MAX(x_ExportTime) AS newest,
  COUNT(*) AS charges,
  SUM(CAST(BilledCost AS NUMERIC)) AS total
FROM `bills-1.gcp_billing_immutable_010101_F0FFF0_61C528_us.gcp_billing_export_focus_010101_F0FFF0_61C528`
GROUP BY 1
ORDER BY 1
