-- Two counts, so that Postgres uses the two partial indexes.
SELECT (SELECT count(*) FROM messages WHERE lane_id = @lane AND tenant_id = @tenant AND state = 'queued')
    + (SELECT count(*) FROM messages WHERE lane_id = @lane AND tenant_id = @tenant AND state = 'waiting')
