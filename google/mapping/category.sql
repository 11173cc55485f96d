CASE
    WHEN service_id IN ('6F81-5844-456A', 'CCD8-9BF1-090E', '152E-C115-5142', '29E7-DA93-CA13') OR service_name IN ('Compute Engine', 'Kubernetes Engine', 'Cloud Run', 'Cloud Run Functions', 'Cloud Functions', 'App Engine', 'Cloud TPU', 'Batch', 'VMware Engine') THEN 'Compute'
    WHEN service_id IN ('95FF-2EF5-5EA1') OR service_name IN ('Cloud Storage', 'Cloud Filestore', 'Filestore', 'Backup for GKE', 'Backup and DR Service', 'NetApp Volumes') THEN 'Storage'
    WHEN service_id IN ('9662-B51E-5089', 'CC63-0873-48FD', 'C3BE-24A5-0975', '5AF5-2C11-D467') OR service_name IN ('Cloud SQL', 'Cloud Spanner', 'Cloud Bigtable', 'Cloud Memorystore for Redis', 'Cloud Memorystore', 'AlloyDB', 'Cloud Firestore', 'Firestore', 'Datastore') THEN 'Databases'
    WHEN service_id IN ('24E6-581D-38E5') OR service_name IN ('BigQuery', 'BigQuery Reservation API', 'BigQuery Storage API', 'BigQuery BI Engine', 'Cloud Dataflow', 'Cloud Dataproc', 'Looker', 'Looker Studio', 'Cloud Composer', 'Dataplex', 'Cloud Data Fusion') THEN 'Analytics'
    WHEN service_id IN ('C7E2-9256-1C43') OR service_name IN ('Vertex AI', 'Gemini API', 'Cloud Vision API', 'Cloud Natural Language API', 'Translate', 'Cloud Speech API', 'Cloud Text-to-Speech API', 'Cloud Document AI API', 'Dialogflow API') THEN 'AI and Machine Learning'
    WHEN service_id IN ('E505-1604-58F8') OR service_name IN ('Networking', 'Cloud DNS', 'Cloud CDN', 'Cloud NAT', 'Cloud VPN', 'Cloud Load Balancing', 'Network Connectivity Center') THEN 'Networking'
    WHEN service_id IN ('5490-F7B7-8DF6', '58CD-E7C3-72CA') OR service_name IN ('Cloud Logging', 'Stackdriver Logging', 'Cloud Monitoring', 'Stackdriver Monitoring', 'Support', 'Cloud Support', 'Cloud Scheduler') THEN 'Management and Governance'
    WHEN service_id IN ('A1E8-BE35-7EBC') OR service_name IN ('Cloud Pub/Sub', 'Cloud Tasks', 'Eventarc', 'Workflows', 'Apigee', 'Cloud API Gateway') THEN 'Integration'
    WHEN service_name IN ('Secret Manager', 'Cloud Key Management Service (KMS)', 'Cloud Armor', 'Security Command Center', 'reCAPTCHA Enterprise', 'Identity Platform') THEN 'Security'
    WHEN service_name IN ('Artifact Registry', 'Cloud Build', 'Container Registry', 'Container Registry Vulnerability Scanning', 'Source Repository', 'Cloud Deploy') THEN 'Developer Tools'
    ELSE 'Other' END
