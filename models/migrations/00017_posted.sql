-- +goose Up
-- Whether a message that is sending was handed to a connection: false since its
-- claim, true right before its request, NULL otherwise (and where an older
-- program claimed it, which must count as true).
ALTER TABLE messages ADD COLUMN posted boolean;

-- Rounds that one process of the fleet does at a time, such as the sweep.
CREATE TABLE rounds (
  name       text PRIMARY KEY,
  started_at timestamptz NOT NULL
);

-- +goose Down
DROP TABLE rounds;
ALTER TABLE messages DROP COLUMN posted;
