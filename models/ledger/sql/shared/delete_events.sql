DELETE FROM webhook_events WHERE tenant_id = @tenant AND message_id <> '' AND message_id IN {{list "@ids"}}
