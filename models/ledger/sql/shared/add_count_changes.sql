INSERT INTO count_changes (tenant_id, batch_id, minute, state, n)
SELECT tenant_id, batch_id, minute, state, n
FROM {{rows "@changes" "tenant_id text, batch_id text, minute bigint, state text, n bigint"}}
