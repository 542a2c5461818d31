-- +goose Up
CREATE TABLE tenants (
  id              text PRIMARY KEY,
  linkname        text NOT NULL,
  name            text NOT NULL,
  plan            text NOT NULL,
  time_zone       text NOT NULL,
  country         text NOT NULL DEFAULT 'US',
  rate_per_minute integer NOT NULL DEFAULT 100,
  reserve         integer NOT NULL DEFAULT 0,
  quiet_from      text NOT NULL DEFAULT '',
  quiet_to        text NOT NULL DEFAULT '',
  opt_out_line    text NOT NULL DEFAULT '',
  number_key      text NOT NULL CHECK (number_key LIKE 'v1.%'),
  signed_at       timestamptz NOT NULL,
  created_at      timestamptz NOT NULL,
  updated_at      timestamptz NOT NULL
);

CREATE TABLE installations (
  tenant_id      text PRIMARY KEY REFERENCES tenants (id),
  state          text NOT NULL,
  installed_by   text NOT NULL,
  installed_at   timestamptz NOT NULL,
  uninstalled_at timestamptz
);

CREATE TABLE connections (
  tenant_id           text PRIMARY KEY REFERENCES tenants (id),
  state               text NOT NULL,
  reason              text NOT NULL DEFAULT '',
  ready               boolean NOT NULL DEFAULT false,
  company_id          text NOT NULL,
  company_name        text NOT NULL,
  dialpad_user_id     text NOT NULL,
  connected_by        text NOT NULL,
  connected_by_user   text NOT NULL,
  access_token        text NOT NULL DEFAULT '' CHECK (access_token = '' OR access_token LIKE 'v1.%'),
  refresh_token       text NOT NULL DEFAULT '' CHECK (refresh_token = '' OR refresh_token LIKE 'v1.%'),
  previous_refresh    text NOT NULL DEFAULT '' CHECK (previous_refresh = '' OR previous_refresh LIKE 'v1.%'),
  token_expires_at    timestamptz,
  token_issued_at     timestamptz,
  token_version       bigint NOT NULL DEFAULT 0,
  refresh_lease_by    text NOT NULL DEFAULT '',
  refresh_lease_until timestamptz,
  refresh_failed_at   timestamptz,
  hook_path           text NOT NULL DEFAULT '' CHECK (hook_path = '' OR hook_path LIKE 'v1.%'),
  hook_path_hash      text NOT NULL DEFAULT '',
  hook_secret         text NOT NULL DEFAULT '' CHECK (hook_secret = '' OR hook_secret LIKE 'v1.%'),
  previous_hook_hash  text NOT NULL DEFAULT '',
  previous_secret     text NOT NULL DEFAULT '' CHECK (previous_secret = '' OR previous_secret LIKE 'v1.%'),
  webhook_id          text NOT NULL DEFAULT '',
  sms_subscription    text NOT NULL DEFAULT '',
  change_subscription text NOT NULL DEFAULT '',
  subscriptions_note  text NOT NULL DEFAULT '',
  subscriptions_at    timestamptz,
  directory_at        timestamptz,
  directory_begun_at  timestamptz,
  directory_cursor    text NOT NULL DEFAULT '',
  opt_outs_at         timestamptz,
  last_event_at       timestamptz,
  last_checked_at     timestamptz,
  connected_at        timestamptz NOT NULL,
  disconnected_at     timestamptz,
  updated_at          timestamptz NOT NULL
);
-- A Dialpad company belongs to one tenant, even with concurrent connects.
CREATE UNIQUE INDEX connections_company ON connections (company_id) WHERE state <> 'disconnected';
CREATE UNIQUE INDEX connections_hook ON connections (hook_path_hash) WHERE hook_path_hash <> '';
CREATE INDEX connections_previous_hook ON connections (previous_hook_hash) WHERE previous_hook_hash <> '';

CREATE TABLE connect_attempts (
  id            text PRIMARY KEY,
  tenant_id     text NOT NULL REFERENCES tenants (id),
  user_id       text NOT NULL,
  user_email    text NOT NULL,
  ticket_hash   text NOT NULL,
  state_hash    text NOT NULL DEFAULT '',
  browser_hash  text NOT NULL DEFAULT '',
  verifier      text NOT NULL DEFAULT '' CHECK (verifier = '' OR verifier LIKE 'v1.%'),
  step          text NOT NULL,
  code          text NOT NULL DEFAULT '',
  message       text NOT NULL DEFAULT '',
  grant_sealed  text NOT NULL DEFAULT '' CHECK (grant_sealed = '' OR grant_sealed LIKE 'v1.%'),
  created_at    timestamptz NOT NULL,
  updated_at    timestamptz NOT NULL,
  expires_at    timestamptz NOT NULL
);
CREATE UNIQUE INDEX connect_attempts_ticket ON connect_attempts (ticket_hash);
CREATE UNIQUE INDEX connect_attempts_state ON connect_attempts (state_hash) WHERE state_hash <> '';
CREATE INDEX connect_attempts_tenant ON connect_attempts (tenant_id, created_at);

CREATE TABLE users (
  tenant_id  text NOT NULL REFERENCES tenants (id),
  user_id    text NOT NULL,
  email      text NOT NULL,
  name       text NOT NULL,
  role       text NOT NULL DEFAULT '',
  active     boolean NOT NULL DEFAULT true,
  seen_at    timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, user_id)
);
CREATE INDEX users_email ON users (tenant_id, email);
CREATE INDEX users_name ON users (tenant_id, name, user_id) WHERE active;

CREATE TABLE accounts (
  tenant_id  text NOT NULL REFERENCES tenants (id),
  dialpad_id text NOT NULL,
  name       text NOT NULL,
  email      text NOT NULL,
  number     text NOT NULL,
  state      text NOT NULL,
  time_zone  text NOT NULL DEFAULT '',
  stale      boolean NOT NULL DEFAULT false,
  stale_at   timestamptz,
  checked_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, dialpad_id)
);
CREATE INDEX accounts_stale ON accounts (tenant_id) WHERE stale;

CREATE TABLE account_emails (
  tenant_id  text NOT NULL,
  email      text NOT NULL,
  dialpad_id text NOT NULL,
  PRIMARY KEY (tenant_id, email, dialpad_id)
);
CREATE INDEX account_emails_account ON account_emails (tenant_id, dialpad_id);

CREATE TABLE sessions (
  token_hash text PRIMARY KEY,
  kind       text NOT NULL,
  tenant_id  text NOT NULL REFERENCES tenants (id),
  user_id    text NOT NULL,
  email      text NOT NULL,
  name       text NOT NULL,
  role       text NOT NULL,
  time_zone  text NOT NULL,
  locale     text NOT NULL,
  origin     text NOT NULL,
  ctx        jsonb,
  created_at timestamptz NOT NULL,
  seen_at    timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_user ON sessions (tenant_id, user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Launch tokens that were used: each is valid once.
CREATE TABLE used_tokens (
  tenant_id  text NOT NULL,
  jti        text NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, jti)
);

-- The first response to each signed call, for when the call is repeated.
CREATE TABLE call_answers (
  webhook_id text PRIMARY KEY,
  body_hash  text NOT NULL,
  status     integer NOT NULL,
  body       text NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE TABLE sequences (
  tenant_id text NOT NULL,
  subject   text NOT NULL,
  seq       bigint NOT NULL,
  PRIMARY KEY (tenant_id, subject)
);

CREATE TABLE lanes (
  id            text PRIMARY KEY,
  tenant_id     text NOT NULL REFERENCES tenants (id),
  due_at        timestamptz,
  lease_owner   text NOT NULL DEFAULT '',
  lease_until   timestamptz,
  fence         bigint NOT NULL DEFAULT 0,
  slot_at       timestamptz,
  learned_rate  double precision NOT NULL DEFAULT 0,
  learned_at    timestamptz,
  limited_at    timestamptz,
  limited_words text NOT NULL DEFAULT '',
  bulk_turn     bigint NOT NULL DEFAULT 0,
  action_turn   bigint NOT NULL DEFAULT 0,
  served        bigint NOT NULL DEFAULT 0,
  wakes         bigint NOT NULL DEFAULT 0,
  updated_at    timestamptz NOT NULL
);
CREATE INDEX lanes_due ON lanes (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX lanes_tenant ON lanes (tenant_id);

-- The last turn of each sender in a class of a lane.
CREATE TABLE lane_turns (
  lane_id   text NOT NULL,
  class     integer NOT NULL,
  sender_id text NOT NULL,
  turn      bigint NOT NULL,
  PRIMARY KEY (lane_id, class, sender_id)
);

CREATE TABLE batches (
  id              text PRIMARY KEY,
  tenant_id       text NOT NULL REFERENCES tenants (id),
  user_id         text NOT NULL,
  user_email      text NOT NULL,
  user_name       text NOT NULL,
  sender_id       text NOT NULL,
  sender_email    text NOT NULL,
  source          text NOT NULL,
  class           integer NOT NULL,
  workflow_id     text NOT NULL DEFAULT '',
  workflow_name   text NOT NULL DEFAULT '',
  module          text NOT NULL,
  record_ids      jsonb,
  selection       text NOT NULL DEFAULT '',
  to_number       text NOT NULL DEFAULT '',
  to_field        text NOT NULL DEFAULT '',
  message         text NOT NULL,
  template_id     text NOT NULL DEFAULT '',
  idempotency_key text NOT NULL,
  body_hash       text NOT NULL,
  state           text NOT NULL,
  expected        integer NOT NULL,
  cursor          text NOT NULL DEFAULT '',
  prepared        boolean NOT NULL DEFAULT false,
  prepare_note    text NOT NULL DEFAULT '',
  send_at         timestamptz,
  local_time      text NOT NULL DEFAULT '',
  time_zone       text NOT NULL DEFAULT '',
  utc_offset      text NOT NULL DEFAULT '',
  late_minutes    integer NOT NULL DEFAULT 60,
  late_do         text NOT NULL DEFAULT 'hold',
  move_quiet      boolean NOT NULL DEFAULT false,
  warning         text NOT NULL DEFAULT '',
  warned_at       timestamptz,
  held_reason     text NOT NULL DEFAULT '',
  held_code       text NOT NULL DEFAULT '',
  held_at         timestamptz,
  version         bigint NOT NULL DEFAULT 1,
  created_at      timestamptz NOT NULL,
  started_at      timestamptz,
  finished_at     timestamptz,
  updated_at      timestamptz NOT NULL
);
CREATE UNIQUE INDEX batches_idempotency ON batches (tenant_id, user_id, idempotency_key);
CREATE INDEX batches_outbox ON batches (tenant_id, created_at DESC, id DESC);
CREATE INDEX batches_due ON batches (send_at) WHERE state = 'scheduled';
CREATE INDEX batches_open ON batches (tenant_id, state) WHERE state NOT IN ('done', 'cancelled');

CREATE TABLE messages (
  id           text PRIMARY KEY,
  tenant_id    text NOT NULL REFERENCES tenants (id),
  batch_id     text NOT NULL REFERENCES batches (id),
  lane_id      text NOT NULL,
  class        integer NOT NULL,
  turn         bigint NOT NULL,
  user_id      text NOT NULL,
  sender_id    text NOT NULL,
  module       text NOT NULL,
  record_id    text NOT NULL,
  contact_id   text NOT NULL,
  deal_id      text NOT NULL,
  name         text NOT NULL,
  to_number    text NOT NULL,
  to_key       text NOT NULL,
  from_number  text NOT NULL,
  text         text NOT NULL,
  segments     integer NOT NULL,
  state        text NOT NULL,
  due_at       timestamptz,
  attempt      integer NOT NULL DEFAULT 0,
  fence        bigint NOT NULL DEFAULT 0,
  dialpad_id   text NOT NULL DEFAULT '',
  error_code   text NOT NULL DEFAULT '',
  error_text   text NOT NULL DEFAULT '',
  matched_by   text NOT NULL DEFAULT '',
  callback_id  text NOT NULL DEFAULT '',
  untold       boolean NOT NULL DEFAULT false,
  claimed_at   timestamptz,
  answered_at  timestamptz,
  sent_at      timestamptz,
  settled_at   timestamptz,
  created_at   timestamptz NOT NULL,
  updated_at   timestamptz NOT NULL
);
-- One message per recipient of a batch. An automation may text a record
-- once per call.
CREATE UNIQUE INDEX messages_recipient ON messages (batch_id, module, record_id, callback_id);
-- One message per number of a batch. Skipped messages do not count.
CREATE UNIQUE INDEX messages_number ON messages (batch_id, to_number) WHERE state <> 'skipped' AND callback_id = '';
CREATE INDEX messages_queue ON messages (lane_id, class, turn, id) WHERE state = 'queued';
CREATE INDEX messages_waiting ON messages (lane_id, due_at) WHERE state = 'waiting';
CREATE INDEX messages_batch ON messages (batch_id, state);
-- One message sending per pair of sender and recipient.
CREATE UNIQUE INDEX messages_pair ON messages (lane_id, sender_id, to_number) WHERE state = 'sending';
CREATE INDEX messages_uncertain ON messages (tenant_id, from_number, to_number) WHERE state = 'uncertain';
CREATE INDEX messages_dialpad ON messages (tenant_id, dialpad_id) WHERE dialpad_id <> '';
CREATE INDEX messages_untold ON messages (tenant_id, updated_at) WHERE untold;
CREATE INDEX messages_sent ON messages (tenant_id, settled_at) WHERE settled_at IS NOT NULL;
CREATE UNIQUE INDEX messages_callback ON messages (tenant_id, callback_id) WHERE callback_id <> '';

-- Attempts after which the message was queued again. The last attempt is
-- in the message itself.
CREATE TABLE attempts (
  message_id  text NOT NULL,
  tenant_id   text NOT NULL,
  attempt     integer NOT NULL,
  claimed_at  timestamptz,
  answered_at timestamptz,
  outcome     text NOT NULL,
  error_code  text NOT NULL DEFAULT '',
  error_text  text NOT NULL DEFAULT '',
  PRIMARY KEY (message_id, attempt)
);

CREATE TABLE suppressions (
  tenant_id  text NOT NULL REFERENCES tenants (id),
  number_key text NOT NULL,
  source     text NOT NULL,
  number     text NOT NULL DEFAULT '',
  reason     text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, number_key, source)
);

CREATE TABLE webhook_events (
  id             text PRIMARY KEY,
  tenant_id      text NOT NULL REFERENCES tenants (id),
  kind           text NOT NULL,
  body_hash      text NOT NULL,
  dialpad_id     text NOT NULL DEFAULT '',
  direction      text NOT NULL DEFAULT '',
  from_number    text NOT NULL DEFAULT '',
  to_number      text NOT NULL DEFAULT '',
  status         text NOT NULL DEFAULT '',
  result         text NOT NULL DEFAULT '',
  device_type    text NOT NULL DEFAULT '',
  opt_word       text NOT NULL DEFAULT '',
  dialpad_users  jsonb,
  state          text NOT NULL,
  message_id     text NOT NULL DEFAULT '',
  event_at       timestamptz,
  received_at    timestamptz NOT NULL,
  processed_at   timestamptz
);
CREATE UNIQUE INDEX webhook_events_body ON webhook_events (tenant_id, body_hash);
CREATE INDEX webhook_events_dialpad ON webhook_events (tenant_id, dialpad_id) WHERE dialpad_id <> '';
CREATE INDEX webhook_events_message ON webhook_events (message_id) WHERE message_id <> '';
CREATE INDEX webhook_events_state ON webhook_events (state, received_at);

-- Automation calls from the CRM and the outcomes reported to it.
CREATE TABLE callbacks (
  tenant_id    text NOT NULL REFERENCES tenants (id),
  callback_id  text NOT NULL,
  message_id   text NOT NULL,
  batch_id     text NOT NULL DEFAULT '',
  workflow_id  text NOT NULL,
  request      jsonb,
  state        text NOT NULL,
  port         text NOT NULL DEFAULT '',
  severity     text NOT NULL DEFAULT '',
  error_code   text NOT NULL DEFAULT '',
  error_text   text NOT NULL DEFAULT '',
  created_at   timestamptz NOT NULL,
  completed_at timestamptz,
  PRIMARY KEY (tenant_id, callback_id)
);

CREATE TABLE audits (
  id         text PRIMARY KEY,
  tenant_id  text NOT NULL REFERENCES tenants (id),
  user_id    text NOT NULL,
  action     text NOT NULL,
  detail     jsonb,
  created_at timestamptz NOT NULL
);
CREATE INDEX audits_tenant ON audits (tenant_id, created_at DESC);

CREATE TABLE workers (
  id      text PRIMARY KEY,
  seen_at timestamptz NOT NULL
);

-- +goose Down
DROP TABLE workers;
DROP TABLE audits;
DROP TABLE callbacks;
DROP TABLE webhook_events;
DROP TABLE suppressions;
DROP TABLE attempts;
DROP TABLE messages;
DROP TABLE batches;
DROP TABLE lane_turns;
DROP TABLE lanes;
DROP TABLE sequences;
DROP TABLE call_answers;
DROP TABLE used_tokens;
DROP TABLE sessions;
DROP TABLE account_emails;
DROP TABLE accounts;
DROP TABLE users;
DROP TABLE connect_attempts;
DROP TABLE connections;
DROP TABLE installations;
DROP TABLE tenants;
