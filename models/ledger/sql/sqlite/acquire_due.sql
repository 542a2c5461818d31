SELECT id FROM lanes
WHERE due_at <= @due AND (lease_until IS NULL OR lease_until < @now)
ORDER BY due_at LIMIT @n
