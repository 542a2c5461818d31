-- +goose Up
-- How many texts of a batch are in each state, so that nobody counts messages.
-- 'open' is queued, waiting and sending together. batch_id '' has the sum of a
-- tenant's open texts.
CREATE TABLE batch_counts (
  tenant_id text NOT NULL,
  batch_id  text NOT NULL,
  state     text NOT NULL,
  n         bigint NOT NULL,
  PRIMARY KEY (tenant_id, batch_id, state)
);
-- The same by the minute in which the texts were settled, of the last hours.
CREATE TABLE minute_counts (
  tenant_id text NOT NULL,
  minute    bigint NOT NULL,
  state     text NOT NULL,
  n         bigint NOT NULL,
  PRIMARY KEY (tenant_id, minute, state)
);
CREATE INDEX minute_counts_age ON minute_counts (minute);
-- Changes that a round adds to both. Transactions that change texts only append
-- here: with a row for each batch they would wait for each other.
CREATE TABLE count_changes (
  tenant_id text NOT NULL,
  batch_id  text NOT NULL,
  minute    bigint NOT NULL,
  state     text NOT NULL,
  n         bigint NOT NULL
);
CREATE INDEX count_changes_batch ON count_changes (tenant_id, batch_id);

INSERT INTO batch_counts (tenant_id, batch_id, state, n)
SELECT tenant_id, batch_id, CASE WHEN state IN ('queued', 'waiting', 'sending') THEN 'open' ELSE state END, count(*)
FROM messages GROUP BY 1, 2, 3;
INSERT INTO batch_counts (tenant_id, batch_id, state, n)
SELECT tenant_id, '', 'open', sum(n) FROM batch_counts WHERE state = 'open' GROUP BY tenant_id;

-- Whether a batch has texts that failed, or whose outcome is unknown.
ALTER TABLE batches ADD COLUMN has_failed boolean NOT NULL DEFAULT false;
ALTER TABLE batches ADD COLUMN has_unknown boolean NOT NULL DEFAULT false;
UPDATE batches SET has_failed = true WHERE id IN (SELECT batch_id FROM batch_counts WHERE state IN ('failed', 'undelivered'));
UPDATE batches SET has_unknown = true WHERE id IN (SELECT batch_id FROM batch_counts WHERE state = 'uncertain');
CREATE INDEX batches_failed ON batches (tenant_id, id DESC) WHERE has_failed;
CREATE INDEX batches_unknown ON batches (tenant_id, id DESC) WHERE has_unknown;
DROP INDEX messages_failed;
DROP INDEX messages_unknown;

-- For each filter of the outbox.
DROP INDEX batches_open;
CREATE INDEX batches_state ON batches (tenant_id, state, id DESC);
CREATE INDEX batches_user ON batches (tenant_id, user_id, id DESC);
CREATE INDEX batches_source ON batches (tenant_id, source, id DESC);
CREATE INDEX batches_number ON batches (tenant_id, to_number) WHERE to_number <> '';
-- For the popup: the bulks that are under way.
CREATE INDEX batches_bulks ON batches (tenant_id, user_id, id DESC)
  WHERE source = 'bulk' AND state IN ('preparing', 'sending', 'paused', 'held');
-- For the sweep, over all tenants.
CREATE INDEX batches_preparing ON batches (updated_at) WHERE state = 'preparing';
CREATE INDEX batches_sending ON batches (updated_at) WHERE state = 'sending';
CREATE INDEX batches_held ON batches (held_at) WHERE state = 'held';
CREATE INDEX batches_scheduled ON batches (id) WHERE state = 'scheduled';
CREATE INDEX batches_done ON batches (finished_at) WHERE state = 'done';

-- For pages of a batch's messages in a state.
DROP INDEX messages_batch;
CREATE INDEX messages_batch ON messages (batch_id, state, id);
CREATE INDEX messages_batch_waiting ON messages (batch_id, due_at) WHERE state = 'waiting';

-- +goose Down
DROP INDEX messages_batch_waiting;
DROP INDEX messages_batch;
CREATE INDEX messages_batch ON messages (batch_id, state);
DROP INDEX batches_done;
DROP INDEX batches_scheduled;
DROP INDEX batches_held;
DROP INDEX batches_sending;
DROP INDEX batches_preparing;
DROP INDEX batches_bulks;
DROP INDEX batches_number;
DROP INDEX batches_source;
DROP INDEX batches_user;
DROP INDEX batches_state;
CREATE INDEX batches_open ON batches (tenant_id, state) WHERE state NOT IN ('done', 'cancelled');
CREATE INDEX messages_unknown ON messages (tenant_id, batch_id) WHERE state = 'uncertain';
CREATE INDEX messages_failed ON messages (tenant_id, batch_id) WHERE state IN ('failed', 'undelivered');
DROP INDEX batches_unknown;
DROP INDEX batches_failed;
ALTER TABLE batches DROP COLUMN has_unknown;
ALTER TABLE batches DROP COLUMN has_failed;
DROP TABLE count_changes;
DROP TABLE minute_counts;
DROP TABLE batch_counts;
