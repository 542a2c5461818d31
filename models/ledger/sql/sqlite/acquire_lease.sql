UPDATE lanes SET lease_owner = @owner, lease_until = @until, due_at = @until, fence = fence + 1
WHERE id IN (SELECT value FROM json_each(@ids))
RETURNING *
