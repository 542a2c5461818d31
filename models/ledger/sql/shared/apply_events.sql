-- Moves messages forward by what events say of them, never back.
UPDATE messages SET
    state = o.state,
    previous_state = messages.state,
    error_code = o.code,
    error_text = o.text,
    timeline_pending = true,
    updated_at = @now,
    settled_at = coalesce(messages.settled_at, {{timestamp "@now"}}),
    sent_at = coalesce(messages.sent_at, messages.claimed_at)
FROM {{rows "@effects" "id text, tenant_id text, state text, code text, text text"}}
WHERE messages.id = o.id AND messages.tenant_id = o.tenant_id
    AND (messages.state = 'uncertain' OR messages.state = 'sent' AND o.state <> 'sent')
RETURNING messages.id, messages.tenant_id, messages.batch_id, messages.callback_id, messages.state, messages.user_id, messages.previous_state, messages.settled_at
