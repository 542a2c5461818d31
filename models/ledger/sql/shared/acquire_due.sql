SELECT id FROM lanes
WHERE due_at <= {{leaseEnd}} AND (lease_until IS NULL OR lease_until < {{leaseNow}})
ORDER BY due_at LIMIT @n
{{skipLocked}}
