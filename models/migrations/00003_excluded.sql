-- +goose Up
-- The records that a person removed from a bulk while it was scheduled.
ALTER TABLE batches ADD COLUMN excluded text;

-- +goose Down
ALTER TABLE batches DROP COLUMN excluded;
