UPDATE lanes SET lease_until = coalesce(CAST(@lease_now AS timestamptz), statement_timestamp()) + @seconds * interval '1 second', due_at = coalesce(CAST(@lease_now AS timestamptz), statement_timestamp()) + @seconds * interval '1 second'
WHERE id IN (SELECT json_array_elements_text(CAST(@ids AS json))) AND lease_owner = @owner AND lease_until > coalesce(CAST(@lease_now AS timestamptz), statement_timestamp())
RETURNING id
