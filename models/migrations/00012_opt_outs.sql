-- +goose Up
-- When the person said it, by the event's own time, and who recorded it.
ALTER TABLE suppressions ADD COLUMN said_at timestamptz;
ALTER TABLE suppressions ADD COLUMN user_id text NOT NULL DEFAULT '';
UPDATE suppressions SET said_at = created_at;
CREATE INDEX suppressions_number ON suppressions (tenant_id, number);

-- Each opt-out and opt-in that was said, for the order of those that
-- arrive late and as a record of consent.
CREATE TABLE consents (
  id         text PRIMARY KEY,
  tenant_id  text NOT NULL REFERENCES tenants (id),
  number_key text NOT NULL,
  opted_out  boolean NOT NULL,
  source     text NOT NULL,
  user_id    text NOT NULL DEFAULT '',
  note       text NOT NULL DEFAULT '',
  said_at    timestamptz NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX consents_number ON consents (tenant_id, number_key, said_at);

-- Numbers whose last text may mean an opt-out, until somebody decides.
CREATE TABLE opt_out_reviews (
  tenant_id  text NOT NULL REFERENCES tenants (id),
  number_key text NOT NULL,
  number     text NOT NULL DEFAULT '',
  text       text NOT NULL DEFAULT '',
  said_at    timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, number_key)
);

-- +goose Down
DROP TABLE opt_out_reviews;
DROP TABLE consents;
DROP INDEX suppressions_number;
ALTER TABLE suppressions DROP COLUMN user_id;
ALTER TABLE suppressions DROP COLUMN said_at;
