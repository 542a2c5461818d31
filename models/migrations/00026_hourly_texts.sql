-- +goose Up
-- How many texts of a class each person asked for in an hour.
CREATE TABLE hourly_texts (
  tenant_id text NOT NULL,
  user_id   text NOT NULL,
  class     integer NOT NULL,
  hour      timestamptz NOT NULL,
  n         integer NOT NULL,
  PRIMARY KEY (tenant_id, user_id, class, hour)
);
CREATE INDEX hourly_texts_hour ON hourly_texts (hour);

-- +goose Down
DROP TABLE hourly_texts;
