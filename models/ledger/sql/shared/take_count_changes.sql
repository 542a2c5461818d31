-- Takes the changes of some batches. Whoever folds at the same time takes
-- others: a locked row is left to its round.
DELETE FROM count_changes WHERE (tenant_id, batch_id) IN (
    SELECT tenant_id, batch_id FROM count_changes ORDER BY tenant_id, batch_id LIMIT @n)
RETURNING tenant_id, batch_id, minute, state, n
