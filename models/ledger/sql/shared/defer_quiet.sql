-- Gives queued messages their next window. Those whose window is not
-- open yet wait for it. They were not claimed: there is no attempt.
UPDATE messages SET state = CASE WHEN o.due = '' THEN 'queued' ELSE 'waiting' END,
    due_at = {{timestamp "nullif(o.due, '')"}}, quiet_at = {{timestamp "nullif(o.quiet, '')"}},
    error_code = CASE WHEN o.due = '' THEN '' ELSE @code END, error_text = CASE WHEN o.due = '' THEN '' ELSE @text END,
    updated_at = @now
FROM {{rows "@windows" "id text, due text, quiet text"}}
WHERE messages.id = o.id AND messages.lane_id = @lane AND messages.tenant_id = @tenant AND messages.state = 'queued'
