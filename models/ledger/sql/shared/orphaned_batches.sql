-- Returns batches whose messages do not match their state: sending
-- with held messages, or cancelled in the last hour with open ones.
SELECT id, tenant_id FROM batches
WHERE state = 'sending' AND updated_at < @before
    AND EXISTS (SELECT 1 FROM messages m WHERE m.batch_id = batches.id AND m.state = 'held')
UNION ALL
SELECT id, tenant_id FROM batches
WHERE state = 'cancelled' AND finished_at > @hour AND updated_at < @before
    AND EXISTS (SELECT 1 FROM messages m WHERE m.batch_id = batches.id AND m.state IN ('queued', 'waiting', 'held'))
LIMIT @n
