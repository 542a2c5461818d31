DELETE FROM recipients WHERE tenant_id = @tenant AND batch_id = @batch AND message_id IN {{list "@ids"}}
