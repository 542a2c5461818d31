-- Leases timelines to a worker: those that nobody holds, and those it holds.
INSERT INTO timeline_leases (tenant_id, lease_owner, lease_until)
SELECT o.id, @owner, {{leaseEnd}}
FROM {{rows "@tenants" "id text"}}
WHERE true
ORDER BY o.id
ON CONFLICT (tenant_id) DO UPDATE SET lease_owner = excluded.lease_owner, lease_until = excluded.lease_until
WHERE timeline_leases.lease_owner = excluded.lease_owner OR timeline_leases.lease_until <= {{leaseNow}}
RETURNING tenant_id
