-- +goose Up
-- The records that somebody left out of a bulk while it waited for its time.
ALTER TABLE batches ADD COLUMN excluded text;

-- +goose Down
ALTER TABLE batches DROP COLUMN excluded;
