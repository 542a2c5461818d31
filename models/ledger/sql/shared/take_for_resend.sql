-- Takes each message once. A message may be taken again if its new
-- batch was cancelled before it requested a text for the same record.
UPDATE messages SET resent_in = @in
WHERE messages.tenant_id = @tenant AND messages.batch_id = @batch AND messages.state IN @states
    AND messages.error_code NOT IN @without AND messages.to_number NOT LIKE 'erased:%'
    AND (resent_in = '' OR EXISTS (
        SELECT 1 FROM batches b
        WHERE b.tenant_id = @tenant AND b.id = messages.resent_in AND b.state = 'cancelled' AND NOT EXISTS (
            SELECT 1 FROM recipients n JOIN messages again ON again.id = n.message_id
            WHERE n.batch_id = b.id AND n.module = messages.module AND n.record_id = messages.record_id
                AND (again.state <> 'cancelled' OR again.attempt > 0 OR again.resent_in <> ''))))
RETURNING id, record_id
