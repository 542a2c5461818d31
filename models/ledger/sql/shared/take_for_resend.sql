-- Takes each message once. A message may be taken again if its new
-- batch was cancelled before it had a message for the same record:
-- there is none to resend from.
UPDATE messages SET resent_in = @in
WHERE messages.tenant_id = @tenant AND messages.batch_id = @batch AND messages.state IN @states
    AND messages.error_code NOT IN @without AND messages.to_number NOT LIKE 'erased:%'
    AND (resent_in = '' OR EXISTS (
        SELECT 1 FROM batches b
        WHERE b.tenant_id = @tenant AND b.id = messages.resent_in AND b.state = 'cancelled' AND NOT EXISTS (
            SELECT 1 FROM recipients n
            WHERE n.batch_id = b.id AND n.module = messages.module AND n.record_id = messages.record_id)))
RETURNING id, record_id
