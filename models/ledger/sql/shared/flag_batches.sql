-- Marks the batches that have texts which failed, or whose outcome is unknown,
-- where that is news: others write the same rows.
UPDATE batches SET has_failed = o.failed, has_unknown = o.unknown
FROM (
    SELECT b.id,
        EXISTS (SELECT 1 FROM batch_counts c
            WHERE c.tenant_id = b.tenant_id AND c.batch_id = b.id AND c.state IN ('failed', 'undelivered') AND c.n > 0) AS failed,
        EXISTS (SELECT 1 FROM batch_counts c
            WHERE c.tenant_id = b.tenant_id AND c.batch_id = b.id AND c.state = 'uncertain' AND c.n > 0) AS unknown
    FROM batches b WHERE b.id IN {{list "@ids"}}
) AS o
WHERE batches.id = o.id AND (batches.has_failed <> o.failed OR batches.has_unknown <> o.unknown)
