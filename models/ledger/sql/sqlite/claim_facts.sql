-- Reads what is checked about the claimed messages before sending.
WITH claimed AS MATERIALIZED (
    SELECT * FROM messages WHERE id IN (SELECT json_extract(value, '$.id') FROM json_each(@picked))
),
{{template "sender.sql"}}
{{template "facts.sql"}}
ORDER BY u.class, u.turn, u.id
