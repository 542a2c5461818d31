-- +goose Up
-- What happened to a batch, a JSON object a line. Written by the statements
-- that change the batch: it costs none of its own.
ALTER TABLE batches ADD COLUMN history text NOT NULL DEFAULT '';
-- How many of a scheduled bulk's people would be left out if it began now.
ALTER TABLE batches ADD COLUMN expected_skipped integer NOT NULL DEFAULT 0;
-- The batch whose texts are sent again, '' for none.
ALTER TABLE batches ADD COLUMN resend_of text NOT NULL DEFAULT '';
CREATE INDEX batches_sender ON batches (tenant_id, sender_user_id, id DESC);

-- The batches in which texts failed or have an unknown outcome, and what is
-- new to the person who sent them.
CREATE INDEX messages_failed ON messages (tenant_id, batch_id) WHERE state IN ('failed', 'undelivered');
CREATE INDEX messages_unknown ON messages (tenant_id, batch_id) WHERE state = 'uncertain';
CREATE INDEX messages_problems ON messages (tenant_id, user_id, settled_at) WHERE state IN ('failed', 'undelivered', 'uncertain');
ALTER TABLE users ADD COLUMN outbox_seen_at timestamptz;

-- Texts by day, sender and template, counted in the statements that settle
-- them. previous_state is the state that a text is counted under until then.
ALTER TABLE messages ADD COLUMN previous_state text NOT NULL DEFAULT '';
CREATE TABLE figures (
  tenant_id   text NOT NULL REFERENCES tenants (id),
  day         text NOT NULL,
  user_id     text NOT NULL,
  template_id text NOT NULL,
  sent        bigint NOT NULL DEFAULT 0,
  delivered   bigint NOT NULL DEFAULT 0,
  undelivered bigint NOT NULL DEFAULT 0,
  failed      bigint NOT NULL DEFAULT 0,
  uncertain   bigint NOT NULL DEFAULT 0,
  replied     bigint NOT NULL DEFAULT 0,
  opted_out   bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, day, user_id, template_id)
);

-- +goose Down
DROP TABLE figures;
ALTER TABLE messages DROP COLUMN previous_state;
ALTER TABLE users DROP COLUMN outbox_seen_at;
DROP INDEX messages_problems;
DROP INDEX messages_unknown;
DROP INDEX messages_failed;
DROP INDEX batches_sender;
ALTER TABLE batches DROP COLUMN resend_of;
ALTER TABLE batches DROP COLUMN expected_skipped;
ALTER TABLE batches DROP COLUMN history;
