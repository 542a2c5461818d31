DELETE FROM lane_turns
WHERE lane_id = @lane AND class = @class AND sender_id = @sender AND NOT EXISTS (
    SELECT 1 FROM messages m
    WHERE m.lane_id = lane_turns.lane_id AND m.class = lane_turns.class
        AND CASE WHEN m.class = 1 THEN m.batch_id ELSE m.sender_id END = lane_turns.sender_id AND m.state = 'queued')
