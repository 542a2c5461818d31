-- The tenants with messages that are not in the timeline yet: one step in the
-- index for each tenant, however many messages there are.
WITH RECURSIVE pending (tenant_id) AS (
    SELECT min(tenant_id) FROM messages WHERE timeline_pending
    UNION ALL
    SELECT (SELECT min(m.tenant_id) FROM messages m WHERE m.timeline_pending AND m.tenant_id > pending.tenant_id)
    FROM pending WHERE pending.tenant_id IS NOT NULL
)
SELECT tenant_id FROM pending WHERE tenant_id IS NOT NULL
