DELETE FROM messages WHERE tenant_id = @tenant AND batch_id = @batch AND id IN {{list "@ids"}}
