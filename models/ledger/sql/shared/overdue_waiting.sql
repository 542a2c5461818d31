-- Returns the batches with a late rule that have overdue waiting
-- messages in the lane.
SELECT DISTINCT m.batch_id
FROM messages m JOIN batches b ON b.id = m.batch_id
WHERE m.lane_id = @lane AND m.tenant_id = @tenant AND m.state = 'waiting' AND m.due_at < @before
    AND b.send_at IS NOT NULL AND b.late_do <> 'send' AND b.state IN ('preparing', 'sending')
