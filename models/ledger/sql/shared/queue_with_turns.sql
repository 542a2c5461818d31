UPDATE messages SET state = 'queued', previous_state = messages.state, turn = o.turn, due_at = NULL, updated_at = @now
FROM {{rows "@turns" "id text, turn bigint"}}
WHERE messages.id = o.id AND messages.state IN ('waiting', 'held')
RETURNING messages.tenant_id, messages.batch_id, messages.state, messages.previous_state
