-- The state of the control plane. Times are microseconds since 1970 in UTC, 0 for none; ids are text made in Go;
-- lists and maps are JSON text. Tenant tables start with org_id; the others are on the reviewed list of schema_test.go.

-- +goose Up
CREATE TABLE organizations (
	id         TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
	name       TEXT NOT NULL,
	created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
	org_id     TEXT NOT NULL REFERENCES organizations (id),
	id         TEXT NOT NULL,
	email      TEXT NOT NULL,
	name       TEXT NOT NULL,
	handle     TEXT NOT NULL,
	password   TEXT NOT NULL,
	disabled   INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	last_login INTEGER NOT NULL,
	PRIMARY KEY (org_id, id)
) STRICT;

-- Installation: finds the organization of a person who signs in.
CREATE TABLE logins (
	email   TEXT NOT NULL PRIMARY KEY,
	org_id  TEXT NOT NULL,
	user_id TEXT NOT NULL,
	UNIQUE (org_id, user_id),
	FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE
) STRICT;

CREATE TABLE groups (
	org_id     TEXT NOT NULL REFERENCES organizations (id),
	id         TEXT NOT NULL,
	name       TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	PRIMARY KEY (org_id, id)
) STRICT;

CREATE TABLE memberships (
	org_id   TEXT NOT NULL REFERENCES organizations (id),
	user_id  TEXT NOT NULL,
	group_id TEXT, -- NULL: in the whole organization
	role     TEXT NOT NULL,
	FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id),
	FOREIGN KEY (org_id, group_id) REFERENCES groups (org_id, id)
) STRICT;
CREATE UNIQUE INDEX memberships_once ON memberships (org_id, user_id, COALESCE(group_id, ''), role);

CREATE TABLE api_tokens (
	org_id     TEXT NOT NULL REFERENCES organizations (id),
	id         TEXT NOT NULL,
	user_id    TEXT NOT NULL,
	name       TEXT NOT NULL,
	hash       TEXT NOT NULL,
	actions    TEXT,
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	last_used  INTEGER NOT NULL,
	PRIMARY KEY (org_id, id),
	FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id)
) STRICT;

-- Installation: finds the organization of a program that shows a token.
CREATE TABLE token_hashes (
	hash     TEXT NOT NULL PRIMARY KEY,
	org_id   TEXT NOT NULL,
	token_id TEXT NOT NULL,
	UNIQUE (org_id, token_id),
	FOREIGN KEY (org_id, token_id) REFERENCES api_tokens (org_id, id) ON DELETE CASCADE
) STRICT;

CREATE TABLE cloud_accounts (
	org_id     TEXT NOT NULL REFERENCES organizations (id),
	id         TEXT NOT NULL,
	name       TEXT NOT NULL,
	provider   TEXT NOT NULL,
	credential TEXT,
	identity   TEXT,
	status     TEXT,
	created_at INTEGER NOT NULL,
	removed    INTEGER NOT NULL DEFAULT 0, -- 1: gone for everybody; the row stays for what refers to it
	PRIMARY KEY (org_id, id)
) STRICT;
CREATE UNIQUE INDEX cloud_accounts_name ON cloud_accounts (org_id, name) WHERE removed = 0;

CREATE TABLE sources (
	org_id      TEXT NOT NULL REFERENCES organizations (id),
	id          TEXT NOT NULL,
	name        TEXT NOT NULL,
	provider    TEXT NOT NULL,
	account_id  TEXT,
	scope_id    TEXT NOT NULL,
	scope_name  TEXT NOT NULL,
	scope_payer INTEGER NOT NULL,
	origin      TEXT NOT NULL,
	spec        TEXT,
	cost_files  TEXT NOT NULL,
	desired     TEXT NOT NULL,
	created_at  INTEGER NOT NULL,
	PRIMARY KEY (org_id, id),
	FOREIGN KEY (org_id, account_id) REFERENCES cloud_accounts (org_id, id)
) STRICT;
-- Provision once per billing scope.
CREATE UNIQUE INDEX sources_wanted ON sources (org_id, provider, scope_id) WHERE origin = 'created' AND desired = 'present';

CREATE TABLE coverage (
	org_id         TEXT NOT NULL REFERENCES organizations (id),
	source_id      TEXT NOT NULL,
	sub_account_id TEXT NOT NULL,
	basis          TEXT NOT NULL,
	name           TEXT NOT NULL,
	seen_at        INTEGER NOT NULL,
	PRIMARY KEY (org_id, source_id, sub_account_id, basis),
	FOREIGN KEY (org_id, source_id) REFERENCES sources (org_id, id)
) STRICT;

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
	remove_history INTEGER NOT NULL,
	fence          INTEGER NOT NULL,
	attempts       INTEGER NOT NULL,
	next_at        INTEGER NOT NULL,
	problem        TEXT,
	created_by     TEXT NOT NULL,
	created_at     INTEGER NOT NULL,
	started_at     INTEGER NOT NULL,
	ended_at       INTEGER NOT NULL,
	PRIMARY KEY (org_id, id),
	FOREIGN KEY (org_id, source_id) REFERENCES sources (org_id, id),
	FOREIGN KEY (org_id, account_id) REFERENCES cloud_accounts (org_id, id)
) STRICT;
-- One active operation per billing scope.
CREATE UNIQUE INDEX operations_active ON operations (org_id, provider, scope_id) WHERE status IN ('queued', 'running', 'waiting');
CREATE UNIQUE INDEX operations_idem ON operations (org_id, idem_key) WHERE idem_key <> '';
CREATE INDEX operations_source ON operations (org_id, source_id, created_at);

CREATE TABLE steps (
	org_id       TEXT NOT NULL REFERENCES organizations (id),
	operation_id TEXT NOT NULL,
	seq          INTEGER NOT NULL,
	title        TEXT NOT NULL,
	resource_key TEXT NOT NULL,
	state        TEXT NOT NULL,
	detail       TEXT NOT NULL,
	calls        INTEGER NOT NULL,
	started_at   INTEGER NOT NULL,
	ended_at     INTEGER NOT NULL,
	PRIMARY KEY (org_id, operation_id, seq),
	FOREIGN KEY (org_id, operation_id) REFERENCES operations (org_id, id)
) STRICT;

CREATE TABLE resources (
	org_id       TEXT NOT NULL REFERENCES organizations (id),
	source_id    TEXT NOT NULL,
	kind         TEXT NOT NULL,
	name         TEXT NOT NULL,
	state        TEXT NOT NULL,
	origin       TEXT NOT NULL,
	provider_id  TEXT NOT NULL,
	created      INTEGER NOT NULL,
	intent_at    INTEGER NOT NULL,
	not_before   INTEGER NOT NULL,
	last_seen    INTEGER NOT NULL,
	operation_id TEXT,
	properties   TEXT,
	owner        TEXT,
	objects      INTEGER NOT NULL,
	bytes        INTEGER NOT NULL,
	foreigners   INTEGER NOT NULL,
	last_error   TEXT NOT NULL,
	PRIMARY KEY (org_id, source_id, kind, name),
	FOREIGN KEY (org_id, source_id) REFERENCES sources (org_id, id),
	FOREIGN KEY (org_id, operation_id) REFERENCES operations (org_id, id)
) STRICT;

CREATE TABLE units (
	org_id    TEXT NOT NULL REFERENCES organizations (id),
	id        TEXT NOT NULL,
	source_id TEXT NOT NULL,
	period    TEXT NOT NULL,
	version   INTEGER NOT NULL,
	token     TEXT NOT NULL,
	delivery  TEXT,
	state     TEXT NOT NULL,
	attempts  INTEGER NOT NULL,
	problem   TEXT,
	proof     TEXT,
	seen_at   INTEGER NOT NULL,
	loaded_at INTEGER NOT NULL,
	PRIMARY KEY (org_id, id),
	UNIQUE (org_id, source_id, period, version, token),
	FOREIGN KEY (org_id, source_id) REFERENCES sources (org_id, id)
) STRICT;

CREATE TABLE heads (
	org_id       TEXT NOT NULL REFERENCES organizations (id),
	source_id    TEXT NOT NULL,
	period       TEXT NOT NULL,
	provider     TEXT NOT NULL,
	origin       TEXT NOT NULL,
	unit_id      TEXT,
	version      INTEGER NOT NULL,
	generation   TEXT NOT NULL,
	snapshot     INTEGER NOT NULL,
	files        TEXT,
	rollups      TEXT,
	proof        TEXT,
	sub_accounts TEXT,
	data_through INTEGER NOT NULL,
	delivered_at INTEGER NOT NULL,
	published_at INTEGER NOT NULL,
	previous     TEXT,
	PRIMARY KEY (org_id, source_id, period),
	FOREIGN KEY (org_id, source_id) REFERENCES sources (org_id, id),
	FOREIGN KEY (org_id, unit_id) REFERENCES units (org_id, id)
) STRICT;

CREATE TABLE head_versions (
	org_id  TEXT NOT NULL PRIMARY KEY REFERENCES organizations (id),
	version INTEGER NOT NULL
) STRICT;

CREATE TABLE tasks (
	org_id     TEXT NOT NULL REFERENCES organizations (id),
	kind       TEXT NOT NULL,
	subject    TEXT NOT NULL,
	every      INTEGER NOT NULL, -- microseconds
	fence      INTEGER NOT NULL,
	attempts   INTEGER NOT NULL,
	last_error TEXT NOT NULL,
	PRIMARY KEY (org_id, kind, subject)
) STRICT;

-- Installation: which operation (kind 'operation') or task is due, and who holds it.
CREATE TABLE due (
	org_id      TEXT NOT NULL REFERENCES organizations (id),
	kind        TEXT NOT NULL,
	subject     TEXT NOT NULL,
	next_at     INTEGER NOT NULL,
	lease_owner TEXT NOT NULL,
	lease_until INTEGER NOT NULL,
	moved       INTEGER NOT NULL, -- 1: next_at was set since the last claim
	PRIMARY KEY (org_id, kind, subject)
) STRICT;
CREATE INDEX due_next ON due (kind, next_at);

CREATE TABLE audit_entries (
	org_id     TEXT NOT NULL REFERENCES organizations (id),
	seq        INTEGER NOT NULL,
	id         TEXT NOT NULL,
	at         INTEGER NOT NULL,
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
) STRICT;

-- +goose StatementBegin
CREATE TRIGGER audit_entries_update BEFORE UPDATE ON audit_entries BEGIN
	SELECT RAISE(ABORT, 'the audit log is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_entries_delete BEFORE DELETE ON audit_entries BEGIN
	SELECT RAISE(ABORT, 'the audit log is append-only');
END;
-- +goose StatementEnd

-- Where each organization's chain ends, so that a log cut at its end is noticed.
CREATE TABLE audit_tips (
	org_id  TEXT NOT NULL PRIMARY KEY REFERENCES organizations (id),
	entries INTEGER NOT NULL,
	hash    TEXT NOT NULL
) STRICT;

-- Installation: failed sign-ins by account or address.
CREATE TABLE login_failures (
	key      TEXT NOT NULL PRIMARY KEY,
	failures INTEGER NOT NULL,
	last     INTEGER NOT NULL
) STRICT;
CREATE INDEX login_failures_last ON login_failures (last);

-- Installation: signed-in browsers, by the hash of their token.
CREATE TABLE sessions (
	token  TEXT NOT NULL PRIMARY KEY,
	data   BLOB NOT NULL,
	expiry INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_expiry ON sessions (expiry);

-- Installation: small values such as the key check.
CREATE TABLE meta (
	key   TEXT NOT NULL PRIMARY KEY,
	value TEXT NOT NULL
) STRICT;
