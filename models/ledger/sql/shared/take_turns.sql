-- Adds n to a sender's last turn, or to the lane's current turn if
-- that is higher.
INSERT INTO lane_turns (lane_id, class, sender_id, turn) VALUES (@lane, @class, @sender, @first)
ON CONFLICT (lane_id, class, sender_id) DO UPDATE SET
    turn = CASE WHEN lane_turns.turn > @served THEN lane_turns.turn ELSE @served END + @n
