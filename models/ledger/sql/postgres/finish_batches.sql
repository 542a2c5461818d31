-- Ends the batches that have nothing left to wait for. One that a text is being
-- added to stays open, though that text can't be seen yet: its version is
-- another than when this statement began.
UPDATE batches SET state = 'done', finished_at = @now, updated_at = @now, version = batches.version + 1
FROM (SELECT id, version FROM batches WHERE id IN (SELECT json_array_elements_text(CAST(@ids AS json)))) AS seen
WHERE batches.id = seen.id AND batches.version = seen.version AND state = 'sending' AND prepared AND NOT EXISTS (
    SELECT 1 FROM messages m WHERE m.batch_id = batches.id AND m.state IN ('queued', 'waiting', 'sending', 'held'))
