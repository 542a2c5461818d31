-- +goose Up
-- The phone field that a bulk's number comes from where to_field has none.
ALTER TABLE batches ADD COLUMN else_field text NOT NULL DEFAULT '';

-- Bulks to more people than this are asked about before they go out.
ALTER TABLE tenants ADD COLUMN confirm_over integer NOT NULL DEFAULT 50;

-- What people are writing, and what their popups remember, for browsers that
-- store nothing in a frame. number_key and contact_id find a person's drafts.
CREATE TABLE drafts (
  tenant_id   text NOT NULL REFERENCES tenants (id),
  user_id     text NOT NULL,
  name        text NOT NULL,
  number_key  text NOT NULL DEFAULT '',
  contact_id  text NOT NULL DEFAULT '',
  body_sealed text NOT NULL CHECK (body_sealed LIKE 'v1.%'),
  expires_at  timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, user_id, name)
);
CREATE INDEX drafts_expiry ON drafts (expires_at);
CREATE INDEX drafts_number ON drafts (tenant_id, number_key) WHERE number_key <> '';
CREATE INDEX drafts_contact ON drafts (tenant_id, contact_id) WHERE contact_id <> '';

-- +goose Down
DROP TABLE drafts;
ALTER TABLE tenants DROP COLUMN confirm_over;
ALTER TABLE batches DROP COLUMN else_field;
