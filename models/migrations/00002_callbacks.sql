-- +goose Up
-- When a call last changed. Stalled calls are enqueued again, oldest first.
ALTER TABLE callbacks ADD COLUMN updated_at timestamptz;
UPDATE callbacks SET updated_at = created_at;
CREATE INDEX callbacks_open ON callbacks (updated_at) WHERE state <> 'completed';

-- +goose Down
DROP INDEX callbacks_open;
ALTER TABLE callbacks DROP COLUMN updated_at;
