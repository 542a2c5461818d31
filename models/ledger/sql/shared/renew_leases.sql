UPDATE lanes SET lease_until = {{leaseEnd}}, due_at = {{leaseEnd}}
WHERE id IN {{list "@ids"}} AND lease_owner = @owner AND lease_until > {{leaseNow}}
RETURNING id
