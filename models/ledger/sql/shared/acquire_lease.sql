UPDATE lanes SET lease_owner = @owner, lease_until = {{leaseEnd}}, due_at = {{leaseEnd}}, fence = fence + 1
WHERE id IN {{list "@ids"}}
RETURNING *
