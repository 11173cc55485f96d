SELECT
  invoice.month AS month,
  MAX(export_time) AS newest,
  COUNT(*) AS charges,
  SUM(CAST(cost AS NUMERIC)) AS total
FROM `bills-1.outlay_abcdefghijkl.gcp_billing_export_resource_v1_010101_F0FFF0_61C528`
GROUP BY 1
ORDER BY 1
