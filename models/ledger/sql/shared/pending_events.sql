-- The delivery events that a round may try. Locked ones are another worker's.
SELECT id, tenant_id, dialpad_id, from_number, to_number, status, result, device_type, received_at
FROM webhook_events
WHERE state = 'pending' AND retry_at IS NOT NULL AND retry_at <= @now
ORDER BY retry_at LIMIT @n
{{skipLocked}}
