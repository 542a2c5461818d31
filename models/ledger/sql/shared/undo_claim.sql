UPDATE messages SET state = 'queued', updated_at = @now
WHERE lane_id = @lane AND tenant_id = @tenant AND state = 'sending' AND fence = @fence
RETURNING id, tenant_id, batch_id, callback_id, 'waiting' AS state
