-- The next queued message of each lane that has work, with the lane's slot.
SELECT m.updated_at, n.slot_at
FROM (
    SELECT l.slot_at, (SELECT q.id FROM messages q WHERE q.lane_id = l.id AND q.state = 'queued' ORDER BY q.class, q.turn, q.id LIMIT 1) AS id
    FROM lanes l WHERE l.due_at IS NOT NULL
) n
JOIN messages m ON m.id = n.id AND m.state = 'queued'
    AND (m.quiet_at IS NULL OR m.quiet_at > @now)
