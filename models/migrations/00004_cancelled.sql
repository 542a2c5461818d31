-- +goose Up
-- For the check of recently cancelled batches for messages still open.
CREATE INDEX batches_cancelled ON batches (finished_at) WHERE state = 'cancelled';

-- +goose Down
DROP INDEX batches_cancelled;
