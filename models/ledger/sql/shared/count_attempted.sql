-- With an order and a limit Postgres uses the index, though it can't know how
-- few they are.
SELECT count(*) FROM (
    SELECT 1 FROM messages
    WHERE tenant_id = @tenant AND settled_at > @since AND attempt > 0
    ORDER BY settled_at DESC LIMIT 10000
) AS attempted
