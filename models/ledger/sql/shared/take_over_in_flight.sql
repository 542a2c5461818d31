-- Ends what former owners of the lanes had claimed. What they had not posted is
-- queued again; the rest becomes uncertain: a response may still arrive, and no
-- message is sent again.
UPDATE messages SET
    state = CASE WHEN messages.posted = false THEN CASE WHEN messages.to_number LIKE 'erased:%' THEN 'cancelled' ELSE 'queued' END
        ELSE 'uncertain' END,
    error_code = CASE WHEN messages.posted = false THEN '' ELSE 'worker_lost' END,
    error_text = CASE WHEN messages.posted = false THEN '' ELSE @text END,
    settled_at = CASE WHEN messages.posted = false THEN NULL ELSE {{timestamp "@now"}} END,
    previous_state = messages.state, posted = NULL, updated_at = @now, timeline_pending = true
FROM lanes l
WHERE l.id IN {{list "@lanes"}}
    AND messages.lane_id = l.id AND messages.tenant_id = l.tenant_id AND messages.state = 'sending' AND messages.fence < l.fence
RETURNING messages.id, messages.tenant_id, messages.batch_id, messages.callback_id, messages.state, messages.user_id, messages.previous_state, messages.settled_at
