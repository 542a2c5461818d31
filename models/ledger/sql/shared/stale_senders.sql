-- The senders of a lane's first queued messages whose account is not up to date.
SELECT DISTINCT q.sender_id, CASE WHEN b.sender_user_id = '' THEN q.user_id ELSE b.sender_user_id END AS sender_user_id
FROM (
    SELECT sender_id, user_id, batch_id FROM messages
    WHERE lane_id = @lane AND tenant_id = @tenant AND state = 'queued'
    ORDER BY class, turn, id LIMIT @n
) q
JOIN batches b ON b.id = q.batch_id
LEFT JOIN accounts a ON a.tenant_id = @tenant AND a.dialpad_id = q.sender_id
WHERE coalesce(a.stale, true) OR a.checked_at IS NULL OR a.checked_at < @since
