-- +goose Up
-- Delivery events wait here until a round applies them; then they are written
-- once, into webhook_events. The id is made of the tenant and the body, so the
-- key alone stores each body once.
CREATE TABLE incoming_events (
  id          text PRIMARY KEY,
  tenant_id   text NOT NULL,
  kind        text NOT NULL,
  body_hash   text NOT NULL,
  dialpad_id  text NOT NULL,
  direction   text NOT NULL,
  from_number text NOT NULL,
  to_number   text NOT NULL,
  status      text NOT NULL,
  result      text NOT NULL,
  device_type text NOT NULL,
  event_at    timestamptz,
  received_at timestamptz NOT NULL,
  retry_at    timestamptz NOT NULL
);
CREATE INDEX incoming_events_retry ON incoming_events (retry_at);

INSERT INTO incoming_events (id, tenant_id, kind, body_hash, dialpad_id, direction, from_number, to_number, status, result, device_type, event_at, received_at, retry_at)
SELECT id, tenant_id, kind, body_hash, dialpad_id, direction, from_number, to_number, status, result, device_type, event_at, received_at, retry_at
FROM webhook_events WHERE state = 'pending' AND retry_at IS NOT NULL;
DELETE FROM webhook_events WHERE state = 'pending' AND retry_at IS NOT NULL;

DROP INDEX webhook_events_round;
DROP INDEX webhook_events_pending;
DROP INDEX webhook_events_body;
CREATE INDEX webhook_events_pending ON webhook_events (received_at) WHERE state = 'pending';

-- +goose Down
DROP INDEX webhook_events_pending;
CREATE UNIQUE INDEX webhook_events_body ON webhook_events (tenant_id, body_hash);
CREATE INDEX webhook_events_pending ON webhook_events (received_at) WHERE state = 'pending' AND retry_at IS NULL;
CREATE INDEX webhook_events_round ON webhook_events (retry_at) WHERE state = 'pending' AND retry_at IS NOT NULL;
INSERT INTO webhook_events (id, tenant_id, kind, body_hash, dialpad_id, direction, from_number, to_number, status, result, device_type, event_at, received_at, retry_at, state)
SELECT id, tenant_id, kind, body_hash, dialpad_id, direction, from_number, to_number, status, result, device_type, event_at, received_at, retry_at, 'pending'
FROM incoming_events;
DROP TABLE incoming_events;
