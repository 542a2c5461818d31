-- Applies many outcomes. An outcome applies to its own attempt while
-- the message is sending; a late one may still change uncertain to
-- sent or failed. A message whose recipient was erased meanwhile is
-- cancelled instead of queued again, as it has no number, and keeps no
-- words of Dialpad's, which may name it.
UPDATE messages SET
    state = CASE WHEN o.state IN ('waiting', 'held') AND messages.to_number LIKE 'erased:%' THEN 'cancelled' ELSE o.state END,
    previous_state = messages.state,
    error_code = o.code,
    error_text = CASE WHEN o.code = 'dialpad_refused' AND messages.to_number LIKE 'erased:%' THEN @refused ELSE o.text END,
    dialpad_id = CASE WHEN o.dialpad_id <> '' THEN o.dialpad_id ELSE messages.dialpad_id END,
    answered_at = @now,
    posted = NULL,
    updated_at = @now,
    timeline_pending = true,
    sent_at = CASE WHEN o.state = 'sent' THEN {{timestamp "@now"}} ELSE messages.sent_at END,
    settled_at = CASE WHEN o.state IN ('sent', 'failed', 'uncertain') THEN coalesce(messages.settled_at, {{timestamp "@now"}}) ELSE NULL END,
    due_at = CASE WHEN o.state = 'waiting' THEN {{timestamp "nullif(o.due, '')"}} ELSE NULL END
FROM {{rows "@outcomes" "id text, attempt int, state text, dialpad_id text, code text, text text, due text"}}
WHERE messages.id = o.id AND messages.attempt = o.attempt
    AND (messages.state = 'sending' OR messages.state = 'uncertain' AND o.state IN ('sent', 'failed'))
RETURNING messages.id, messages.tenant_id, messages.batch_id, messages.callback_id, messages.state, messages.user_id, messages.previous_state, messages.settled_at
