-- Marks messages as current in the CRM's timeline, unless they changed since.
UPDATE messages SET timeline_pending = false
FROM (SELECT json_extract(value, '$.id') AS id, json_extract(value, '$.updated_at') AS updated_at FROM json_each(@messages)) AS o
WHERE messages.id = o.id AND messages.tenant_id = @tenant AND messages.updated_at = o.updated_at
