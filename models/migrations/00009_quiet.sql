-- +goose Up
-- The recipient's time zone, '' if quiet hours do not apply. It is checked
-- when the message is sent, maybe hours after it was prepared.
ALTER TABLE messages ADD COLUMN quiet_zone text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE messages DROP COLUMN quiet_zone;
