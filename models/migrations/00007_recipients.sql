-- +goose Up
-- The people in a batch. Each change of a message's state rewrites its row
-- and all index entries, so what is searched by person is in rows that are
-- written once.
CREATE TABLE recipients (
  batch_id     text NOT NULL REFERENCES batches (id),
  message_id   text NOT NULL,
  tenant_id    text NOT NULL,
  module       text NOT NULL,
  record_id    text NOT NULL,
  callback_id  text NOT NULL,
  contact_id   text NOT NULL,
  number_key   text NOT NULL,
  holds_number boolean NOT NULL,
  PRIMARY KEY (batch_id, message_id)
);
INSERT INTO recipients SELECT batch_id, id, tenant_id, module, record_id, callback_id, contact_id, to_key,
  to_key <> '' AND callback_id = '' AND state <> 'skipped' FROM messages;
-- One message per recipient of a batch. An automation may text a record
-- once per call.
CREATE UNIQUE INDEX recipients_record ON recipients (batch_id, module, record_id, callback_id);
-- One message per number of a batch. Skipped messages do not count.
CREATE UNIQUE INDEX recipients_number ON recipients (batch_id, number_key) WHERE holds_number;
CREATE INDEX recipients_person ON recipients (tenant_id, number_key) WHERE number_key <> '';
CREATE INDEX recipients_contact ON recipients (tenant_id, contact_id) WHERE contact_id <> '';
DROP INDEX messages_recipient;
DROP INDEX messages_number;

-- +goose Down
CREATE UNIQUE INDEX messages_recipient ON messages (batch_id, module, record_id, callback_id);
CREATE UNIQUE INDEX messages_number ON messages (batch_id, to_number) WHERE state <> 'skipped' AND callback_id = '';
DROP TABLE recipients;
