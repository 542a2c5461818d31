-- Marks what former owners of the lanes were sending. A response may
-- still arrive; no message is sent again.
UPDATE messages SET
    state = 'uncertain', previous_state = messages.state, error_code = 'worker_lost', error_text = @text, settled_at = @now, updated_at = @now,
    timeline_pending = true
FROM lanes l
WHERE l.id IN {{list "@lanes"}}
    AND messages.lane_id = l.id AND messages.tenant_id = l.tenant_id AND messages.state = 'sending' AND messages.fence < l.fence
RETURNING messages.id, messages.tenant_id, messages.batch_id, messages.callback_id, messages.state, messages.user_id, messages.previous_state, messages.settled_at
