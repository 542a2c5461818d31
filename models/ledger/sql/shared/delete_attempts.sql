DELETE FROM attempts WHERE tenant_id = @tenant AND message_id IN {{list "@ids"}}
