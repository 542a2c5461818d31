-- +goose Up
-- The batch that sends the message again, which happens once.
ALTER TABLE messages ADD COLUMN resent_in text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE messages DROP COLUMN resent_in;
