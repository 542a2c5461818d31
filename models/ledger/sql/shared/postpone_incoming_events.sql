UPDATE incoming_events SET retry_at = @at
WHERE id IN {{list "@ids"}}
