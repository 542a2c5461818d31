-- Queues the first @max one-to-one messages of each lane that are due.
-- They need no turns.
UPDATE messages SET state = 'queued', due_at = NULL, updated_at = @now
WHERE state = 'waiting' AND id IN (
    SELECT id FROM (
        SELECT id, row_number() OVER (PARTITION BY lane_id ORDER BY due_at, id) AS nth
        FROM messages
        WHERE lane_id IN {{list "@lanes"}} AND state = 'waiting'
            AND due_at <= @now AND due_at > @overdue AND class = @class
    ) AS due
    WHERE nth <= @max)
RETURNING lane_id
