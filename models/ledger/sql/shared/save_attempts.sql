-- Stores the attempts of messages that are queued again: the next
-- attempt overwrites them in the message. Without a code there was no request.
INSERT INTO attempts (message_id, tenant_id, attempt, claimed_at, answered_at, outcome, error_code, error_text)
SELECT m.id, m.tenant_id, m.attempt, m.claimed_at, {{timestamp "@now"}}, o.state, o.code,
    CASE WHEN m.to_number LIKE 'erased:%' THEN '' ELSE o.text END
FROM {{rows "@outcomes" "id text, attempt int, state text, code text, text text"}}
JOIN messages m ON m.id = o.id AND m.attempt = o.attempt AND m.state = 'sending'
WHERE o.state IN ('waiting', 'held') AND o.code <> ''
ON CONFLICT DO NOTHING
