-- Reads what is checked about the claimed messages before sending.
WITH claimed AS MATERIALIZED (
    SELECT * FROM messages WHERE id IN (SELECT json_extract(value, '$.id') FROM json_each(@picked))
),
sender AS MATERIALIZED (
    SELECT w.batch_id, w.sender_id, w.user_id, b.source,
        coalesce(a.state, '') AS sender_state, coalesce(a.number, '') AS sender_number,
        EXISTS (
            SELECT 1 FROM account_emails e JOIN users p ON p.tenant_id = e.tenant_id AND p.email = e.email
            WHERE e.tenant_id = w.tenant_id AND e.dialpad_id = w.sender_id AND p.active
                AND p.user_id = CASE WHEN b.sender_user_id = '' THEN w.user_id ELSE b.sender_user_id END
        ) AS sender_matches,
        CASE WHEN b.sender_user_id = '' THEN w.user_id ELSE b.sender_user_id END AS sender_user_id,
        coalesce(a.stale, true) AS sender_stale, a.checked_at AS sender_checked_at,
        t.plan, coalesce(i.state, '') AS install_state, coalesce(c.state, '') AS connection_state,
        coalesce(c.ready, false) AS connection_ready, coalesce(c.company_id, '') AS company_id
    FROM (SELECT DISTINCT tenant_id, batch_id, sender_id, user_id FROM claimed) w
    JOIN batches b ON b.id = w.batch_id
    JOIN tenants t ON t.id = w.tenant_id
    LEFT JOIN accounts a ON a.tenant_id = w.tenant_id AND a.dialpad_id = w.sender_id
    LEFT JOIN installations i ON i.tenant_id = w.tenant_id
    LEFT JOIN connections c ON c.tenant_id = w.tenant_id
)
SELECT u.id, u.lane_id, u.tenant_id, u.from_number, u.to_number, u.text, u.callback_id, u.attempt, u.class, u.turn, u.quiet_at, k.*,
    EXISTS (SELECT 1 FROM suppressions s WHERE s.tenant_id = u.tenant_id AND s.number_key = u.to_key) AS suppressed
FROM claimed u JOIN sender k ON k.batch_id = u.batch_id AND k.sender_id = u.sender_id AND k.user_id = u.user_id
ORDER BY u.class, u.turn, u.id
