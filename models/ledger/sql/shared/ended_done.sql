-- The batch that is done longest, before @before, and whose texts have ended too.
SELECT id, tenant_id FROM batches
WHERE state = 'done' AND finished_at < @before
    AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.batch_id = batches.id AND m.state IN ('queued', 'waiting', 'sending', 'held'))
    AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.batch_id = batches.id AND m.state = 'uncertain' AND m.settled_at >= @before)
ORDER BY finished_at LIMIT 1
{{skipLocked}}
