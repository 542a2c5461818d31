-- Stores many delivery events at once, each body once. WHERE true keeps SQLite
-- from reading ON CONFLICT as a join's ON.
INSERT INTO incoming_events (id, tenant_id, kind, body_hash, dialpad_id, direction, from_number, to_number, status, result, device_type, event_at, received_at, retry_at)
SELECT id, tenant_id, kind, body_hash, dialpad_id, direction, from_number, to_number, status, result, device_type,
    event_at, received_at, received_at
FROM {{rows "@events" `
    id text, tenant_id text, kind text, body_hash text, dialpad_id text, direction text, from_number text, to_number text,
    status text, result text, device_type text, event_at timestamptz, received_at timestamptz`}}
WHERE true
ON CONFLICT DO NOTHING
