-- Writes delivery events that are done with. A body that came again is
-- there already.
INSERT INTO webhook_events (id, tenant_id, kind, body_hash, dialpad_id, direction, from_number, to_number, status, result, device_type, event_at, received_at, processed_at, state, message_id)
SELECT i.id, i.tenant_id, i.kind, i.body_hash, i.dialpad_id, i.direction, i.from_number, i.to_number, i.status, i.result, i.device_type,
    i.event_at, i.received_at, @now, o.state, o.message_id
FROM {{rows "@events" "id text, state text, message_id text"}}
JOIN incoming_events i ON i.id = o.id
WHERE true
ON CONFLICT DO NOTHING
