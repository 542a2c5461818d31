UPDATE webhook_events SET retry_at = @at
WHERE id IN {{list "@ids"}} AND state = 'pending'
