-- Returns when the first quiet hours of each lane's queued messages
-- begin. Each is found by the index.
SELECT lane_id, quiet_at FROM messages
WHERE state = 'queued' AND id IN (
    SELECT (SELECT m.id FROM messages m WHERE m.lane_id = l.id AND m.state = 'queued' AND m.quiet_at IS NOT NULL
        ORDER BY m.quiet_at LIMIT 1)
    FROM lanes l WHERE l.id IN {{list "@lanes"}})
