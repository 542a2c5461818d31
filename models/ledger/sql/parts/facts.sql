-- What is checked about each claimed message.
SELECT u.id, u.lane_id, u.tenant_id, u.from_number, u.to_number, u.text, u.callback_id, u.attempt, u.class, u.turn, u.quiet_at, k.*,
    EXISTS (SELECT 1 FROM suppressions s WHERE s.tenant_id = u.tenant_id AND s.number_key = u.to_key) AS suppressed
FROM claimed u JOIN sender k ON k.batch_id = u.batch_id AND k.sender_id = u.sender_id AND k.user_id = u.user_id
