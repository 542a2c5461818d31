UPDATE lanes SET lease_until = @until, due_at = @until
WHERE id IN (SELECT json_array_elements_text(CAST(@ids AS json))) AND lease_owner = @owner AND lease_until > @now
RETURNING id
