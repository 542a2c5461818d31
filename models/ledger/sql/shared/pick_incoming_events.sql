-- The delivery events that a round may try, each with the message of its
-- Dialpad id. Locked ones are another worker's.
SELECT i.*, coalesce((
    SELECT m.id FROM messages m
    WHERE m.tenant_id = i.tenant_id AND m.dialpad_id = i.dialpad_id AND m.dialpad_id <> ''
    ORDER BY m.id LIMIT 1), '') AS message_id
FROM incoming_events i
WHERE i.retry_at <= @now
ORDER BY i.retry_at LIMIT @n
{{skipLocked}}
