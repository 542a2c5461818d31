-- Closes the events whose Dialpad id belongs to a message.
UPDATE webhook_events SET state = 'applied', message_id = m.id, processed_at = @now
FROM messages m
WHERE webhook_events.id IN {{list "@ids"}}
    AND m.tenant_id = webhook_events.tenant_id AND m.dialpad_id = webhook_events.dialpad_id AND m.dialpad_id <> ''
RETURNING webhook_events.id
