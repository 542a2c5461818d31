-- +goose Up
-- Batches are paged by their ids, which sort by time.
DROP INDEX batches_outbox;
CREATE INDEX batches_outbox ON batches (tenant_id, id DESC);
-- For deleting old rows.
CREATE INDEX used_tokens_expiry ON used_tokens (expires_at);
CREATE INDEX call_answers_age ON call_answers (created_at);
CREATE INDEX webhook_events_unmatched ON webhook_events (received_at) WHERE message_id = '';

-- +goose Down
DROP INDEX webhook_events_unmatched;
DROP INDEX call_answers_age;
DROP INDEX used_tokens_expiry;
DROP INDEX batches_outbox;
CREATE INDEX batches_outbox ON batches (tenant_id, created_at DESC, id DESC);
