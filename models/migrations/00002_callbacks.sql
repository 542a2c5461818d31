-- +goose Up
-- When a call last moved: those that stand still are picked up again, longest first.
ALTER TABLE callbacks ADD COLUMN updated_at timestamptz;
UPDATE callbacks SET updated_at = created_at;
CREATE INDEX callbacks_open ON callbacks (updated_at) WHERE state <> 'completed';

-- +goose Down
DROP INDEX callbacks_open;
ALTER TABLE callbacks DROP COLUMN updated_at;
