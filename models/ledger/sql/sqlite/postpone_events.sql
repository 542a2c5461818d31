UPDATE webhook_events SET retry_at = @at
WHERE id IN (SELECT value FROM json_each(@ids)) AND state = 'pending'
