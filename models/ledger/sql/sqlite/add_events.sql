-- Stores many delivery events at once, each body once. WHERE true keeps SQLite
-- from reading ON CONFLICT as a join's ON.
INSERT INTO webhook_events (id, tenant_id, kind, body_hash, dialpad_id, direction, from_number, to_number, status, result, device_type, event_at, received_at, retry_at, state)
SELECT json_extract(value, '$.id'), json_extract(value, '$.tenant_id'), json_extract(value, '$.kind'),
    json_extract(value, '$.body_hash'), json_extract(value, '$.dialpad_id'), json_extract(value, '$.direction'),
    json_extract(value, '$.from_number'), json_extract(value, '$.to_number'), json_extract(value, '$.status'),
    json_extract(value, '$.result'), json_extract(value, '$.device_type'), json_extract(value, '$.event_at'),
    json_extract(value, '$.received_at'), json_extract(value, '$.received_at'), 'pending'
FROM json_each(@events)
WHERE true
ON CONFLICT DO NOTHING
