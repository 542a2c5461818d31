-- The counts of batches, and how many of their open texts are sending. One
-- statement, so that a round that folds the changes can't come between.
SELECT batch_id, state, sum(n) AS n FROM (
    SELECT batch_id, state, n FROM batch_counts WHERE tenant_id = @tenant AND batch_id IN @ids
    UNION ALL
    SELECT batch_id, state, n FROM count_changes WHERE tenant_id = @tenant AND batch_id IN @ids
    UNION ALL
    SELECT batch_id, 'sending' AS state, 1 AS n FROM messages
    WHERE tenant_id = @tenant AND batch_id IN @ids AND state = 'sending'
) AS counts
GROUP BY batch_id, state
