-- Marks messages as current in the CRM's timeline, unless they changed since.
UPDATE messages SET timeline_pending = false
FROM {{rows "@messages" "id text, updated_at timestamptz"}}
WHERE messages.id = o.id AND messages.tenant_id = @tenant AND messages.updated_at = o.updated_at
