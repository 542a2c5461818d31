-- A tenant's open texts without those that are sending.
SELECT coalesce((SELECT sum(n) FROM batch_counts WHERE tenant_id = @tenant AND batch_id = '' AND state = 'open'), 0)
    + coalesce((SELECT sum(n) FROM count_changes WHERE tenant_id = @tenant AND state = 'open'), 0)
    - (SELECT count(*) FROM messages WHERE lane_id = @lane AND tenant_id = @tenant AND state = 'sending')
