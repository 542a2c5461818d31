SELECT c.tenant_id, c.callback_id, c.message_id, c.state
FROM callbacks c
LEFT JOIN messages m ON c.state = 'sending' AND m.id = c.message_id AND m.tenant_id = c.tenant_id
WHERE c.state <> 'completed' AND c.updated_at < @before
    AND (m.id IS NULL OR m.state NOT IN ('queued', 'waiting', 'sending', 'held', 'uncertain')
        OR m.state = 'uncertain' AND m.settled_at < @unknown)
ORDER BY c.updated_at LIMIT @n
