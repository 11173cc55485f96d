package sqldb

// tenantTables hold rows of one organization each: they have org_id, and row level security on PostgreSQL.
func tenantTables() []string {
	return []string{
		"users", "groups", "memberships", "api_tokens", "cloud_accounts", "sources", "coverage", "operations", "steps", "resources",
		"units", "heads", "head_versions", "tasks", "audit_entries", "audit_tips", "metered", "labels",
	}
}

// installTables belong to the installation. Each was reviewed: it holds nothing of a tenant but the ids that lead to it,
// and a name to sign in with.
func installTables() []string {
	return []string{"organizations", "logins", "token_hashes", "due", "login_failures", "sessions", "meta"}
}

// tables are all tables of ours; a migration tool's own table is not among them.
func tables() []string { return append(tenantTables(), installTables()...) }
