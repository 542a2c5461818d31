-- By its two partial indexes: Postgres uses neither for both states at once.
SELECT (SELECT count(*) FROM messages WHERE lane_id = @lane AND tenant_id = @tenant AND state = 'queued')
    + (SELECT count(*) FROM messages WHERE lane_id = @lane AND tenant_id = @tenant AND state = 'waiting')
