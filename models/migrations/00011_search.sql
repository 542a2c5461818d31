-- +goose Up
-- What is searched, as text.Fold returns it: no function of both databases
-- compares without case and accents. Rows that exist are completed by
-- Store.Migrate, a tenant at a time, as are the keys of numbers that have two
-- forms; data_version says for which tenants that is done.
ALTER TABLE tenants ADD COLUMN data_version integer NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN search_text text NOT NULL DEFAULT '';
ALTER TABLE batches ADD COLUMN search_names text NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN search_name text NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN search text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE users DROP COLUMN search;
ALTER TABLE messages DROP COLUMN search_name;
ALTER TABLE batches DROP COLUMN search_names;
ALTER TABLE batches DROP COLUMN search_text;
ALTER TABLE tenants DROP COLUMN data_version;
