SELECT id FROM lanes
WHERE due_at <= coalesce(CAST(@lease_now AS timestamptz), statement_timestamp()) + @seconds * interval '1 second' AND (lease_until IS NULL OR lease_until < coalesce(CAST(@lease_now AS timestamptz), statement_timestamp()))
ORDER BY due_at LIMIT @n
FOR UPDATE SKIP LOCKED
