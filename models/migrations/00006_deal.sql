-- +goose Up
-- The title of the deal that names a text's person; the name is the person's.
ALTER TABLE messages ADD COLUMN deal text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE messages DROP COLUMN deal;
