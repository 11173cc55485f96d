-- The role that every transaction works as on PostgreSQL: neither owner of the tables nor superuser, so that row level
-- security holds. It runs at start when something of it is missing, under a lock.
DO $$
BEGIN
	IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'outlay_app') THEN
		CREATE ROLE outlay_app NOLOGIN;
	END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
	NULL; -- roles belong to the whole server: another database's start made it in this moment
END
$$;
DO $$
BEGIN
	IF NOT pg_has_role(current_user, 'outlay_app', 'MEMBER') THEN
		EXECUTE format('GRANT outlay_app TO %I', current_user);
	END IF;
END
$$;
GRANT SELECT, INSERT, UPDATE, DELETE ON metered, labels, users, logins, groups, memberships, api_tokens, token_hashes, cloud_accounts, sources,
	coverage, operations, steps, resources, units, heads, head_versions, tasks, due, login_failures, sessions, meta TO outlay_app;
GRANT SELECT, INSERT, UPDATE ON organizations, audit_tips TO outlay_app;
REVOKE ALL ON audit_entries FROM outlay_app;
GRANT SELECT, INSERT ON audit_entries TO outlay_app;
GRANT SELECT ON goose_db_version TO outlay_app;
