-- Marks the picked messages as sending. The + keeps SQLite from
-- scanning the index of the whole queue instead of looking each
-- message up by id.
UPDATE messages SET
    state = 'sending', attempt = attempt + 1, fence = json_extract(o.value, '$.fence'), claimed_at = @now,
    answered_at = NULL, posted = false, updated_at = @now,
    from_number = coalesce((
        SELECT a.number FROM accounts a
        WHERE a.tenant_id = messages.tenant_id AND a.dialpad_id = messages.sender_id), from_number)
FROM json_each(@picked) AS o
WHERE messages.id = json_extract(o.value, '$.id') AND +state = 'queued'
