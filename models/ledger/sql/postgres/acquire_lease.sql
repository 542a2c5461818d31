UPDATE lanes SET lease_owner = @owner, lease_until = @until, due_at = @until, fence = fence + 1
WHERE id IN (SELECT json_array_elements_text(CAST(@ids AS json)))
RETURNING *
