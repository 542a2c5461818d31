-- Moves a sender's last turn on by n, from where the lane is if that is further.
INSERT INTO lane_turns (lane_id, class, sender_id, turn) VALUES (@lane, @class, @sender, @first)
ON CONFLICT (lane_id, class, sender_id) DO UPDATE SET
    turn = CASE WHEN lane_turns.turn > @served THEN lane_turns.turn ELSE @served END + @n
