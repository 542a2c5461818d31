-- +goose Up
-- The title of the deal whose person is texted.
ALTER TABLE messages ADD COLUMN deal text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE messages DROP COLUMN deal;
