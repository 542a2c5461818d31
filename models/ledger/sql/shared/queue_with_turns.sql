UPDATE messages SET state = 'queued', turn = o.turn, due_at = NULL, updated_at = @now
FROM {{rows "@turns" "id text, turn bigint"}}
WHERE messages.id = o.id AND messages.state IN ('waiting', 'held')
