-- Rows are locked in order, so that two rounds can't wait for each other.
INSERT INTO batch_counts (tenant_id, batch_id, state, n)
SELECT tenant_id, batch_id, state, n
FROM {{rows "@counts" "tenant_id text, batch_id text, state text, n bigint"}}
WHERE true
ORDER BY 1, 2, 3
ON CONFLICT (tenant_id, batch_id, state) DO UPDATE SET n = batch_counts.n + excluded.n
