-- Adds to the figures. Rows are locked in order, so that two of these
-- statements do not wait for each other.
INSERT INTO figures (tenant_id, day, user_id, template_id, sent, delivered, undelivered, failed, uncertain)
SELECT o.tenant_id, o.day, coalesce(nullif(b.sender_user_id, ''), o.user_id), b.template_id,
    sum(o.sent), sum(o.delivered), sum(o.undelivered), sum(o.failed), sum(o.uncertain)
FROM {{rows "@figures" `
    tenant_id text, batch_id text, user_id text, day text,
    sent int, delivered int, undelivered int, failed int, uncertain int`}}
JOIN batches b ON b.id = o.batch_id AND b.tenant_id = o.tenant_id
WHERE b.source <> 'test'
GROUP BY o.tenant_id, o.day, coalesce(nullif(b.sender_user_id, ''), o.user_id), b.template_id
ORDER BY 1, 2, 3, 4
ON CONFLICT (tenant_id, day, user_id, template_id) DO UPDATE SET
    sent = figures.sent + excluded.sent,
    delivered = figures.delivered + excluded.delivered,
    undelivered = figures.undelivered + excluded.undelivered,
    failed = figures.failed + excluded.failed,
    uncertain = figures.uncertain + excluded.uncertain
