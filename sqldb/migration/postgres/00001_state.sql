-- The state of the control plane. Times are microseconds since 1970 in UTC, 0 for none; ids are text made in Go;
-- lists and maps are JSON text. Tenant tables start with org_id; the others are on the reviewed list of schema_test.go.

-- +goose Up
CREATE TABLE organizations (
	id         TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	name       TEXT NOT NULL,
	created_at BIGINT NOT NULL
);

CREATE TABLE users (
	org_id     TEXT NOT NULL REFERENCES organizations (id),
	id         TEXT NOT NULL,
	email      TEXT NOT NULL,
	name       TEXT NOT NULL,
	handle     TEXT NOT NULL,
	password   TEXT NOT NULL,
	disabled   BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	last_login BIGINT NOT NULL,
	PRIMARY KEY (org_id, id)
);

-- Installation: finds the organization of a person who signs in.
CREATE TABLE logins (
	email   TEXT NOT NULL PRIMARY KEY,
	org_id  TEXT NOT NULL,
	user_id TEXT NOT NULL,
	UNIQUE (org_id, user_id),
	FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE
);

CREATE TABLE groups (
	org_id     TEXT NOT NULL REFERENCES organizations (id),
	id         TEXT NOT NULL,
	name       TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (org_id, id)
);

CREATE TABLE memberships (
	org_id   TEXT NOT NULL REFERENCES organizations (id),
	user_id  TEXT NOT NULL,
	group_id TEXT, -- NULL: in the whole organization
	role     TEXT NOT NULL,
	FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id),
	FOREIGN KEY (org_id, group_id) REFERENCES groups (org_id, id)
);
CREATE UNIQUE INDEX memberships_once ON memberships (org_id, user_id, COALESCE(group_id, ''), role);

CREATE TABLE api_tokens (
	org_id     TEXT NOT NULL REFERENCES organizations (id),
	id         TEXT NOT NULL,
	user_id    TEXT NOT NULL,
	name       TEXT NOT NULL,
	hash       TEXT NOT NULL,
	actions    TEXT,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	last_used  BIGINT NOT NULL,
	PRIMARY KEY (org_id, id),
	FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id)
);

-- Installation: finds the organization of a program that shows a token.
CREATE TABLE token_hashes (
	hash     TEXT NOT NULL PRIMARY KEY,
	org_id   TEXT NOT NULL,
	token_id TEXT NOT NULL,
	UNIQUE (org_id, token_id),
	FOREIGN KEY (org_id, token_id) REFERENCES api_tokens (org_id, id) ON DELETE CASCADE
);

CREATE TABLE cloud_accounts (
	org_id     TEXT NOT NULL REFERENCES organizations (id),
	id         TEXT NOT NULL,
	name       TEXT NOT NULL,
	provider   TEXT NOT NULL,
	credential TEXT,
	identity   TEXT,
	status     TEXT,
	created_at BIGINT NOT NULL,
	removed    BIGINT NOT NULL DEFAULT 0, -- 1: gone for everybody; the row stays for what refers to it
	PRIMARY KEY (org_id, id)
);
CREATE UNIQUE INDEX cloud_accounts_name ON cloud_accounts (org_id, name) WHERE removed = 0;

CREATE TABLE sources (
	org_id      TEXT NOT NULL REFERENCES organizations (id),
	id          TEXT NOT NULL,
	name        TEXT NOT NULL,
	provider    TEXT NOT NULL,
	account_id  TEXT,
	scope_id    TEXT NOT NULL,
	scope_name  TEXT NOT NULL,
	scope_payer BIGINT NOT NULL,
	origin      TEXT NOT NULL,
	spec        TEXT,
	cost_files  TEXT NOT NULL,
	desired     TEXT NOT NULL,
	created_at  BIGINT NOT NULL,
	PRIMARY KEY (org_id, id),
	FOREIGN KEY (org_id, account_id) REFERENCES cloud_accounts (org_id, id)
);
-- Provision once per billing scope.
CREATE UNIQUE INDEX sources_wanted ON sources (org_id, provider, scope_id) WHERE origin = 'created' AND desired = 'present';

CREATE TABLE coverage (
	org_id         TEXT NOT NULL REFERENCES organizations (id),
	source_id      TEXT NOT NULL,
	sub_account_id TEXT NOT NULL,
	basis          TEXT NOT NULL,
	name           TEXT NOT NULL,
	seen_at        BIGINT NOT NULL,
	PRIMARY KEY (org_id, source_id, sub_account_id, basis),
	FOREIGN KEY (org_id, source_id) REFERENCES sources (org_id, id)
);

CREATE TABLE operations (
	org_id         TEXT NOT NULL REFERENCES organizations (id),
	id             TEXT NOT NULL,
	kind           TEXT NOT NULL,
	source_id      TEXT,
	account_id     TEXT,
	provider       TEXT NOT NULL,
	scope_id       TEXT NOT NULL,
	status         TEXT NOT NULL,
	idem_key       TEXT NOT NULL,
	request_hash   TEXT NOT NULL,
	plan           TEXT,
	plan_hash      TEXT NOT NULL,
	cost_files     TEXT NOT NULL,
	remove_history BIGINT NOT NULL,
	fence          BIGINT NOT NULL,
	attempts       BIGINT NOT NULL,
	next_at        BIGINT NOT NULL,
	problem        TEXT,
	created_by     TEXT NOT NULL,
	created_at     BIGINT NOT NULL,
	started_at     BIGINT NOT NULL,
	ended_at       BIGINT NOT NULL,
	PRIMARY KEY (org_id, id),
	FOREIGN KEY (org_id, source_id) REFERENCES sources (org_id, id),
	FOREIGN KEY (org_id, account_id) REFERENCES cloud_accounts (org_id, id)
);
-- One active operation per billing scope.
CREATE UNIQUE INDEX operations_active ON operations (org_id, provider, scope_id) WHERE status IN ('queued', 'running', 'waiting');
CREATE UNIQUE INDEX operations_idem ON operations (org_id, idem_key) WHERE idem_key <> '';
CREATE INDEX operations_source ON operations (org_id, source_id, created_at);

CREATE TABLE steps (
	org_id       TEXT NOT NULL REFERENCES organizations (id),
	operation_id TEXT NOT NULL,
	seq          BIGINT NOT NULL,
	title        TEXT NOT NULL,
	resource_key TEXT NOT NULL,
	state        TEXT NOT NULL,
	detail       TEXT NOT NULL,
	calls        BIGINT NOT NULL,
	started_at   BIGINT NOT NULL,
	ended_at     BIGINT NOT NULL,
	PRIMARY KEY (org_id, operation_id, seq),
	FOREIGN KEY (org_id, operation_id) REFERENCES operations (org_id, id)
);

CREATE TABLE resources (
	org_id       TEXT NOT NULL REFERENCES organizations (id),
	source_id    TEXT NOT NULL,
	kind         TEXT NOT NULL,
	name         TEXT NOT NULL,
	state        TEXT NOT NULL,
	origin       TEXT NOT NULL,
	provider_id  TEXT NOT NULL,
	created      BIGINT NOT NULL,
	intent_at    BIGINT NOT NULL,
	not_before   BIGINT NOT NULL,
	last_seen    BIGINT NOT NULL,
	operation_id TEXT,
	properties   TEXT,
	owner        TEXT,
	objects      BIGINT NOT NULL,
	bytes        BIGINT NOT NULL,
	foreigners   BIGINT NOT NULL,
	last_error   TEXT NOT NULL,
	PRIMARY KEY (org_id, source_id, kind, name),
	FOREIGN KEY (org_id, source_id) REFERENCES sources (org_id, id),
	FOREIGN KEY (org_id, operation_id) REFERENCES operations (org_id, id)
);

CREATE TABLE units (
	org_id    TEXT NOT NULL REFERENCES organizations (id),
	id        TEXT NOT NULL,
	source_id TEXT NOT NULL,
	period    TEXT NOT NULL,
	version   BIGINT NOT NULL,
	token     TEXT NOT NULL,
	delivery  TEXT,
	state     TEXT NOT NULL,
	attempts  BIGINT NOT NULL,
	problem   TEXT,
	proof     TEXT,
	seen_at   BIGINT NOT NULL,
	loaded_at BIGINT NOT NULL,
	PRIMARY KEY (org_id, id),
	UNIQUE (org_id, source_id, period, version, token),
	FOREIGN KEY (org_id, source_id) REFERENCES sources (org_id, id)
);

CREATE TABLE heads (
	org_id       TEXT NOT NULL REFERENCES organizations (id),
	source_id    TEXT NOT NULL,
	period       TEXT NOT NULL,
	provider     TEXT NOT NULL,
	origin       TEXT NOT NULL,
	unit_id      TEXT,
	version      BIGINT NOT NULL,
	generation   TEXT NOT NULL,
	snapshot     BIGINT NOT NULL,
	files        TEXT,
	rollups      TEXT,
	proof        TEXT,
	sub_accounts TEXT,
	data_through BIGINT NOT NULL,
	delivered_at BIGINT NOT NULL,
	published_at BIGINT NOT NULL,
	previous     TEXT,
	PRIMARY KEY (org_id, source_id, period),
	FOREIGN KEY (org_id, source_id) REFERENCES sources (org_id, id),
	FOREIGN KEY (org_id, unit_id) REFERENCES units (org_id, id)
);

CREATE TABLE head_versions (
	org_id  TEXT NOT NULL PRIMARY KEY REFERENCES organizations (id),
	version BIGINT NOT NULL
);

CREATE TABLE tasks (
	org_id     TEXT NOT NULL REFERENCES organizations (id),
	kind       TEXT NOT NULL,
	subject    TEXT NOT NULL,
	every      BIGINT NOT NULL, -- microseconds
	fence      BIGINT NOT NULL,
	attempts   BIGINT NOT NULL,
	last_error TEXT NOT NULL,
	PRIMARY KEY (org_id, kind, subject)
);

-- Installation: which operation (kind 'operation') or task is due, and who holds it.
CREATE TABLE due (
	org_id      TEXT NOT NULL REFERENCES organizations (id),
	kind        TEXT NOT NULL,
	subject     TEXT NOT NULL,
	next_at     BIGINT NOT NULL,
	lease_owner TEXT NOT NULL,
	lease_until BIGINT NOT NULL,
	moved       BIGINT NOT NULL, -- 1: next_at was set since the last claim
	PRIMARY KEY (org_id, kind, subject)
);
CREATE INDEX due_next ON due (kind, next_at);

CREATE TABLE audit_entries (
	org_id     TEXT NOT NULL REFERENCES organizations (id),
	seq        BIGINT NOT NULL,
	id         TEXT NOT NULL,
	at         BIGINT NOT NULL,
	actor      TEXT NOT NULL,
	actor_name TEXT NOT NULL,
	addr       TEXT NOT NULL,
	action     TEXT NOT NULL,
	object     TEXT NOT NULL,
	result     TEXT NOT NULL,
	detail     TEXT NOT NULL,
	hash       TEXT NOT NULL,
	PRIMARY KEY (org_id, id),
	UNIQUE (org_id, seq)
);


-- Where each organization's chain ends, so that a log cut at its end is noticed.
CREATE TABLE audit_tips (
	org_id  TEXT NOT NULL PRIMARY KEY REFERENCES organizations (id),
	entries BIGINT NOT NULL,
	hash    TEXT NOT NULL
);

-- Installation: failed sign-ins by account or address.
CREATE TABLE login_failures (
	key      TEXT NOT NULL PRIMARY KEY,
	failures BIGINT NOT NULL,
	last     BIGINT NOT NULL
);
CREATE INDEX login_failures_last ON login_failures (last);

-- Installation: signed-in browsers, by the hash of their token.
CREATE TABLE sessions (
	token  TEXT NOT NULL PRIMARY KEY,
	data   BYTEA NOT NULL,
	expiry BIGINT NOT NULL
);
CREATE INDEX sessions_expiry ON sessions (expiry);

-- Installation: small values such as the key check.
CREATE TABLE meta (
	key   TEXT NOT NULL PRIMARY KEY,
	value TEXT NOT NULL
);

-- The audit log is append-only, for its owner too.
-- +goose StatementBegin
CREATE FUNCTION audit_entries_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'the audit log is append-only';
END
$$;
-- +goose StatementEnd
CREATE TRIGGER audit_entries_change BEFORE UPDATE OR DELETE ON audit_entries FOR EACH ROW EXECUTE FUNCTION audit_entries_refuse();
CREATE TRIGGER audit_entries_truncate BEFORE TRUNCATE ON audit_entries FOR EACH STATEMENT EXECUTE FUNCTION audit_entries_refuse();

-- The second lock on tenant tables: a statement sees and writes rows of the organization in app.org_id only, whatever
-- its WHERE says. FORCE holds for the owner of the tables too.
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
	FOREACH t IN ARRAY ARRAY['users', 'groups', 'memberships', 'api_tokens', 'cloud_accounts', 'sources', 'coverage', 'operations',
		'steps', 'resources', 'units', 'heads', 'head_versions', 'tasks', 'audit_entries', 'audit_tips'] LOOP
		EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
		EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
		EXECUTE format('CREATE POLICY one_organization ON %I USING (org_id = current_setting(''app.org_id'', true)) '
			'WITH CHECK (org_id = current_setting(''app.org_id'', true))', t);
	END LOOP;
END
$$;
-- +goose StatementEnd
