-- Advances the lanes' slots and turns past the picked messages.
UPDATE lanes SET
    slot_at = json_extract(o.value, '$.slot'),
    served = served + json_extract(o.value, '$.n'),
    bulk_turn = max(bulk_turn, json_extract(o.value, '$.bulk')),
    action_turn = max(action_turn, json_extract(o.value, '$.action')),
    updated_at = @now
FROM json_each(@lanes) AS o
WHERE lanes.id = json_extract(o.value, '$.lane')
