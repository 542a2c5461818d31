-- What is checked about sender and tenant, once for many messages.
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
