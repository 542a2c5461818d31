-- Gives queued messages their next window. Those whose window is not
-- open yet wait for it. They were not claimed: there is no attempt.
UPDATE messages SET state = CASE WHEN o.due = '' THEN 'queued' ELSE 'waiting' END,
    due_at = nullif(o.due, ''), quiet_at = nullif(o.quiet, ''),
    error_code = CASE WHEN o.due = '' THEN '' ELSE @code END, error_text = CASE WHEN o.due = '' THEN '' ELSE @text END,
    updated_at = @now
FROM (SELECT json_extract(value, '$.id') AS id, json_extract(value, '$.due') AS due, json_extract(value, '$.quiet') AS quiet
    FROM json_each(@windows)) AS o
WHERE messages.id = o.id AND messages.lane_id = @lane AND messages.tenant_id = @tenant AND messages.state = 'queued'
