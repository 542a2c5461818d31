-- Finishes those of the batches that have no open message. A batch to
-- which a message is being added stays open, though that message is
-- not visible yet: its version has changed since this statement began.
UPDATE batches SET state = 'done', finished_at = @now, updated_at = @now, version = batches.version + 1
FROM (SELECT id, version FROM batches WHERE id IN {{list "@ids"}}) AS seen
WHERE batches.id = seen.id AND batches.version = seen.version AND state = 'sending' AND prepared AND NOT EXISTS (
    SELECT 1 FROM messages m WHERE m.batch_id = batches.id AND m.state IN ('queued', 'waiting', 'sending', 'held'))
