-- +goose Up
-- What was cancelled lately is looked at for texts that did not follow.
CREATE INDEX batches_cancelled ON batches (finished_at) WHERE state = 'cancelled';

-- +goose Down
DROP INDEX batches_cancelled;
