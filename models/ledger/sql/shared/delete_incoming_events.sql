DELETE FROM incoming_events WHERE id IN {{list "@ids"}}
