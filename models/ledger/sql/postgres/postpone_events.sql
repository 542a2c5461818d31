UPDATE webhook_events SET retry_at = @at
WHERE id IN (SELECT json_array_elements_text(CAST(@ids AS json))) AND state = 'pending'
