-- Marks messages right before their requests, and reads the opt-outs once more.
-- It returns those that are still the caller's: another worker may have taken
-- the lane over.
UPDATE messages SET posted = true
FROM {{rows "@messages" "id text, attempt int"}}
WHERE messages.id = o.id AND messages.attempt = o.attempt AND messages.state = 'sending'
RETURNING messages.id, messages.attempt,
    EXISTS (SELECT 1 FROM suppressions s WHERE s.tenant_id = messages.tenant_id AND s.number_key = messages.to_key) AS suppressed,
    (SELECT r.created_at FROM opt_out_reviews r
        WHERE r.tenant_id = messages.tenant_id AND r.number_key = messages.to_key) AS review_since
