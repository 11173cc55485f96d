-- What reading a source's data cost, by calendar month ('2026-11'), and what labels stand for where a provider's
-- spelling loses something.

-- +goose Up
CREATE TABLE metered (
	org_id    TEXT NOT NULL REFERENCES organizations (id),
	source_id TEXT NOT NULL,
	month     TEXT NOT NULL,
	queries   BIGINT NOT NULL,
	bytes     BIGINT NOT NULL,
	PRIMARY KEY (org_id, source_id, month),
	FOREIGN KEY (org_id, source_id) REFERENCES sources (org_id, id)
);

CREATE TABLE labels (
	org_id   TEXT NOT NULL REFERENCES organizations (id),
	provider TEXT NOT NULL,
	tag      TEXT NOT NULL,
	value    TEXT NOT NULL,
	original TEXT NOT NULL,
	PRIMARY KEY (org_id, provider, tag, value)
);

-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
	FOREACH t IN ARRAY ARRAY['metered', 'labels'] LOOP
		EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
		EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
		EXECUTE format('CREATE POLICY one_organization ON %I USING (org_id = current_setting(''app.org_id'', true)) '
			'WITH CHECK (org_id = current_setting(''app.org_id'', true))', t);
	END LOOP;
END
$$;
-- +goose StatementEnd
