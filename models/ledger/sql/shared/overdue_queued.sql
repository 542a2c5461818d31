-- Returns the batches with a late rule that have messages queued in
-- the lanes since before @before.
SELECT DISTINCT m.lane_id, m.batch_id
FROM messages m JOIN batches b ON b.id = m.batch_id
WHERE m.lane_id IN {{list "@lanes"}} AND m.state = 'queued' AND m.updated_at < @before
    AND b.send_at IS NOT NULL AND b.late_do <> 'send' AND b.state IN ('preparing', 'sending')
