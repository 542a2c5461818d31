SELECT id FROM lanes
WHERE due_at <= @until AND (lease_until IS NULL OR lease_until < @lease_now)
ORDER BY due_at LIMIT @n
