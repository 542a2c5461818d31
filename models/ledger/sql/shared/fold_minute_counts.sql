INSERT INTO minute_counts (tenant_id, minute, state, n)
SELECT tenant_id, minute, state, n
FROM {{rows "@counts" "tenant_id text, minute bigint, state text, n bigint"}}
WHERE true
ORDER BY 1, 2, 3
ON CONFLICT (tenant_id, minute, state) DO UPDATE SET n = minute_counts.n + excluded.n
