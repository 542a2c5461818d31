-- Stores the attempts of messages that are queued again: the next
-- attempt overwrites them in the message.
INSERT INTO attempts (message_id, tenant_id, attempt, claimed_at, answered_at, outcome, error_code, error_text)
SELECT m.id, m.tenant_id, m.attempt, m.claimed_at, @now, o.state, o.code, o.text
FROM (
    SELECT json_extract(value, '$.id') AS id, json_extract(value, '$.attempt') AS attempt, json_extract(value, '$.state') AS state,
        json_extract(value, '$.dialpad_id') AS dialpad_id, json_extract(value, '$.code') AS code,
        json_extract(value, '$.text') AS text, json_extract(value, '$.due') AS due
    FROM json_each(@outcomes)
) AS o
JOIN messages m ON m.id = o.id AND m.attempt = o.attempt AND m.state = 'sending'
WHERE o.state IN ('waiting', 'held')
ON CONFLICT DO NOTHING
