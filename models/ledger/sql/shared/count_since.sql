SELECT state, sum(n) AS n FROM (
    SELECT state, n FROM minute_counts WHERE tenant_id = @tenant AND minute > @minute
    UNION ALL
    SELECT state, n FROM count_changes WHERE tenant_id = @tenant AND minute > @minute
) AS counts
GROUP BY state
