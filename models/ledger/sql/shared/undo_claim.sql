UPDATE messages SET state = CASE WHEN to_number LIKE 'erased:%' THEN 'cancelled' ELSE 'queued' END, posted = NULL, updated_at = @now
WHERE lane_id = @lane AND tenant_id = @tenant AND state = 'sending' AND fence = @fence
RETURNING id, tenant_id, batch_id, callback_id, state, 'sending' AS previous_state
