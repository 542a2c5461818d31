-- The message of each of the one-to-one batches. A batch's only message is
-- looked up, so that Postgres, which does not know that there is one, can't
-- expect many and read all messages.
SELECT * FROM messages
WHERE tenant_id = @tenant AND id IN (
    SELECT (SELECT r.message_id FROM recipients r WHERE r.batch_id = o.id LIMIT 1)
    FROM {{rows "@batches" "id text"}})
