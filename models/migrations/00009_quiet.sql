-- +goose Up
-- Where somebody is whom a text must not reach in quiet hours; empty where the batch does not ask for that. It is looked at
-- when the text goes, which may be hours after it was prepared.
ALTER TABLE messages ADD COLUMN quiet_zone text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE messages DROP COLUMN quiet_zone;
