-- Returns when the first waiting message of each lane is due. Each is
-- found by the index.
SELECT lane_id, due_at FROM messages
WHERE state = 'waiting' AND id IN (
    SELECT (SELECT m.id FROM messages m WHERE m.lane_id = l.id AND m.state = 'waiting' ORDER BY m.due_at LIMIT 1)
    FROM lanes l WHERE l.id IN {{list "@lanes"}})
