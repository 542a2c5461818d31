-- +goose Up
-- Delivery events are applied together in rounds; retry_at is when the next
-- round may try an event. It is NULL for events that have a job of their own.
ALTER TABLE webhook_events ADD COLUMN retry_at timestamptz;
CREATE INDEX webhook_events_round ON webhook_events (retry_at) WHERE state = 'pending' AND retry_at IS NOT NULL;
CREATE INDEX webhook_events_pending ON webhook_events (received_at) WHERE state = 'pending' AND retry_at IS NULL;
-- These were written three times a text and read by nothing else.
DROP INDEX webhook_events_state;
DROP INDEX webhook_events_dialpad;

-- +goose Down
CREATE INDEX webhook_events_dialpad ON webhook_events (tenant_id, dialpad_id) WHERE dialpad_id <> '';
CREATE INDEX webhook_events_state ON webhook_events (state, received_at);
DROP INDEX webhook_events_pending;
DROP INDEX webhook_events_round;
ALTER TABLE webhook_events DROP COLUMN retry_at;
