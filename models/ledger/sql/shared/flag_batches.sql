-- Marks the batches that have texts which failed, or whose outcome is unknown.
UPDATE batches SET
    has_failed = EXISTS (SELECT 1 FROM batch_counts c
        WHERE c.tenant_id = batches.tenant_id AND c.batch_id = batches.id AND c.state IN ('failed', 'undelivered') AND c.n > 0),
    has_unknown = EXISTS (SELECT 1 FROM batch_counts c
        WHERE c.tenant_id = batches.tenant_id AND c.batch_id = batches.id AND c.state = 'uncertain' AND c.n > 0)
WHERE id IN {{list "@ids"}}
