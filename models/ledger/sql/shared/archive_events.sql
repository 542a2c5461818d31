-- Writes delivery events that are done with. A body that came again is
-- there already. Those of an erased person name no numbers.
INSERT INTO webhook_events (id, tenant_id, kind, body_hash, dialpad_id, direction, from_number, to_number, status, result, device_type, event_at, received_at, processed_at, state, message_id)
SELECT i.id, i.tenant_id, i.kind, i.body_hash, i.dialpad_id, i.direction,
    CASE WHEN m.to_number LIKE 'erased:%' THEN '' ELSE i.from_number END, CASE WHEN m.to_number LIKE 'erased:%' THEN '' ELSE i.to_number END, i.status, i.result, i.device_type,
    i.event_at, i.received_at, @now, o.state, o.message_id
FROM {{rows "@events" "id text, state text, message_id text"}}
JOIN incoming_events i ON i.id = o.id
LEFT JOIN messages m ON m.id = o.message_id AND m.tenant_id = i.tenant_id
WHERE true
ON CONFLICT DO NOTHING
