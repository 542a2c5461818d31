UPDATE messages SET state = 'queued', turn = o.turn, due_at = NULL, updated_at = @now
FROM (SELECT json_extract(value, '$.id') AS id, json_extract(value, '$.turn') AS turn FROM json_each(@turns)) AS o
WHERE messages.id = o.id AND messages.state IN ('waiting', 'held')
