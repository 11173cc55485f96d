-- What reading a source's data cost, by calendar month ('2026-11'), and what labels stand for where a provider's
-- spelling loses something.

-- +goose Up
CREATE TABLE metered (
	org_id    TEXT NOT NULL REFERENCES organizations (id),
	source_id TEXT NOT NULL,
	month     TEXT NOT NULL,
	queries   INTEGER NOT NULL,
	bytes     INTEGER NOT NULL,
	PRIMARY KEY (org_id, source_id, month),
	FOREIGN KEY (org_id, source_id) REFERENCES sources (org_id, id)
) STRICT;

CREATE TABLE labels (
	org_id   TEXT NOT NULL REFERENCES organizations (id),
	provider TEXT NOT NULL,
	tag      TEXT NOT NULL,
	value    TEXT NOT NULL,
	original TEXT NOT NULL,
	PRIMARY KEY (org_id, provider, tag, value)
) STRICT;
