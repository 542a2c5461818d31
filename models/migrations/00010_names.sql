-- Renames two columns after what they hold.

-- +goose Up
ALTER TABLE messages RENAME COLUMN untold TO timeline_pending;
ALTER TABLE lanes RENAME COLUMN wakes TO additions;

-- +goose Down
ALTER TABLE messages RENAME COLUMN timeline_pending TO untold;
ALTER TABLE lanes RENAME COLUMN additions TO wakes;
