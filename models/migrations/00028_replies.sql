-- +goose Up
-- What people answered to our texts. Other inbound texts leave no row.
CREATE TABLE replies (
  id               text PRIMARY KEY,
  tenant_id        text NOT NULL REFERENCES tenants (id),
  message_id       text NOT NULL, -- the text it answers
  batch_id         text NOT NULL,
  user_id          text NOT NULL, -- CRM user of that text
  contact_id       text NOT NULL,
  deal_id          text NOT NULL,
  contacts         integer NOT NULL, -- with this number, as far as our texts say
  number_key       text NOT NULL,
  from_number      text NOT NULL,
  to_number        text NOT NULL,
  body_sealed      text NOT NULL,
  picture          boolean NOT NULL,
  written_at       timestamptz NOT NULL,
  received_at      timestamptz NOT NULL,
  timeline_pending boolean NOT NULL
);
CREATE INDEX replies_person ON replies (tenant_id, number_key, written_at);
CREATE INDEX replies_batch ON replies (tenant_id, batch_id, message_id);
CREATE INDEX replies_contact ON replies (tenant_id, contact_id) WHERE contact_id <> '';
CREATE INDEX replies_pending ON replies (tenant_id, received_at) WHERE timeline_pending;
CREATE INDEX replies_user ON replies (tenant_id, user_id, received_at);

ALTER TABLE batches ADD COLUMN has_replied boolean NOT NULL DEFAULT false;
CREATE INDEX batches_replied ON batches (tenant_id, id DESC) WHERE has_replied;

-- +goose Down
DROP INDEX batches_replied;
ALTER TABLE batches DROP COLUMN has_replied;
DROP TABLE replies;
