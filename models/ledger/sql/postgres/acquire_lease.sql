UPDATE lanes SET lease_owner = @owner, lease_until = coalesce(CAST(@lease_now AS timestamptz), statement_timestamp()) + @seconds * interval '1 second', due_at = coalesce(CAST(@lease_now AS timestamptz), statement_timestamp()) + @seconds * interval '1 second', fence = fence + 1
WHERE id IN (SELECT json_array_elements_text(CAST(@ids AS json)))
RETURNING *
