-- Counts what take_for_resend.sql would take, by state.
SELECT state, count(*) AS n FROM messages
WHERE messages.tenant_id = @tenant AND messages.batch_id = @batch AND messages.state IN @states
    AND messages.error_code NOT IN @without AND messages.to_number NOT LIKE 'erased:%'
    AND (resent_in = '' OR EXISTS (
        SELECT 1 FROM batches b
        WHERE b.tenant_id = @tenant AND b.id = messages.resent_in AND b.state = 'cancelled' AND NOT EXISTS (
            SELECT 1 FROM recipients n
            WHERE n.batch_id = b.id AND n.module = messages.module AND n.record_id = messages.record_id)))
GROUP BY state
