-- +goose Up
-- When a recipient's next quiet hours begin, NULL for never. A text is not
-- claimed from then on. Texts that are open now get theirs from the worker.
ALTER TABLE messages ADD COLUMN quiet_at timestamptz;
UPDATE messages SET quiet_at = created_at WHERE quiet_zone <> '' AND state IN ('queued', 'waiting', 'held');
CREATE INDEX messages_quiet ON messages (lane_id, quiet_at) WHERE state = 'queued' AND quiet_at IS NOT NULL;

-- Whether texts also keep to the hours of the law.
ALTER TABLE tenants ADD COLUMN keep_laws boolean NOT NULL DEFAULT true;

-- The CRM user whose Dialpad account sends; '' with automations, where each
-- message has its own. '-' is a sender whom nobody knows any more.
ALTER TABLE batches ADD COLUMN sender_user_id text NOT NULL DEFAULT '';
UPDATE batches SET sender_user_id = CASE
  WHEN sender_email = '' THEN ''
  WHEN sender_email = lower(trim(user_email)) THEN user_id
  ELSE coalesce((SELECT min(u.user_id) FROM users u WHERE u.tenant_id = batches.tenant_id AND u.email = batches.sender_email), '-')
END;

-- +goose Down
ALTER TABLE batches DROP COLUMN sender_user_id;
ALTER TABLE tenants DROP COLUMN keep_laws;
DROP INDEX messages_quiet;
ALTER TABLE messages DROP COLUMN quiet_at;
