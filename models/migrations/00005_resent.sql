-- +goose Up
-- The batch that texts this text's person again, so that it is done once.
ALTER TABLE messages ADD COLUMN resent_in text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE messages DROP COLUMN resent_in;
