SELECT count(*) FROM (
    SELECT 1 FROM messages
    WHERE messages.tenant_id = @tenant AND messages.batch_id = @batch AND messages.state IN @states
    AND messages.error_code NOT IN @without AND messages.to_number NOT LIKE 'erased:%' AND resent_in <> ''
    LIMIT 1
) AS one
