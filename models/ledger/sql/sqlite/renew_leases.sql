UPDATE lanes SET lease_until = @until, due_at = @until
WHERE id IN (SELECT value FROM json_each(@ids)) AND lease_owner = @owner AND lease_until > @lease_now
RETURNING id
