-- Claims messages from many lanes and reads what is checked before
-- sending. @requests is a JSON array of claim requests. Locked rows
-- are skipped, so that a lock on one lane does not delay the others.
WITH request AS MATERIALIZED (
    SELECT * FROM json_to_recordset(CAST(@requests AS json)) AS r(
        at int, lane text, owner text, fence bigint, n int, lower_class int, max_lower_class int,
        base timestamptz, seconds double precision)
),
leased AS MATERIALIZED (
    SELECT r.*
    FROM request r
    JOIN lanes l ON l.id = r.lane AND l.lease_owner = r.owner AND l.fence = r.fence AND l.lease_until > {{leaseNow}}
    FOR UPDATE OF l SKIP LOCKED
),
-- The share of the lowest class comes first, then all by class and
-- turn. A pair of sender and recipient gets one message, or none while
-- it has one sending. Batches must be preparing or sending.
picked AS MATERIALIZED (
    SELECT r.lane, r.fence, p.*
    FROM leased r CROSS JOIN LATERAL (
        SELECT id, class, turn, sender_id
        FROM (
            SELECT id, class, turn, sender_id, share,
                row_number() OVER (PARTITION BY sender_id, to_number ORDER BY class, turn, id, share) AS nth
            FROM (
                SELECT * FROM (
                    SELECT 0 AS share, m.id, m.class, m.turn, m.sender_id, m.to_number
                    FROM messages m JOIN batches b ON b.id = m.batch_id
                    WHERE m.lane_id = r.lane AND m.state = 'queued' AND b.state IN ('preparing', 'sending')
                        AND (m.quiet_at IS NULL OR m.quiet_at > @now)
                        AND (m.sender_id, m.to_number) NOT IN (
                            SELECT f.sender_id, f.to_number FROM messages f WHERE f.lane_id = r.lane AND f.state = 'sending')
                        AND m.class = (
                            SELECT max(class) FROM messages
                            WHERE lane_id = r.lane AND state = 'queued' AND class <= r.max_lower_class)
                    ORDER BY m.turn, m.id LIMIT r.lower_class
                    FOR UPDATE OF m SKIP LOCKED
                ) AS lowest
                UNION ALL
                SELECT * FROM (
                    SELECT 1 AS share, m.id, m.class, m.turn, m.sender_id, m.to_number
                    FROM messages m JOIN batches b ON b.id = m.batch_id
                    WHERE m.lane_id = r.lane AND m.state = 'queued' AND b.state IN ('preparing', 'sending')
                        AND (m.quiet_at IS NULL OR m.quiet_at > @now)
                        AND (m.sender_id, m.to_number) NOT IN (
                            SELECT f.sender_id, f.to_number FROM messages f WHERE f.lane_id = r.lane AND f.state = 'sending')
                    ORDER BY m.class, m.turn, m.id LIMIT r.n
                    FOR UPDATE OF m SKIP LOCKED
                ) AS first
            ) AS candidates
        ) AS ranked
        WHERE nth = 1 ORDER BY share, class, turn, id LIMIT r.n
    ) AS p
),
lane AS (
    UPDATE lanes SET
        slot_at = r.base + coalesce(p.n, 0) * r.seconds * interval '1 second',
        served = served + coalesce(p.n, 0),
        bulk_turn = greatest(bulk_turn, p.bulk),
        action_turn = greatest(action_turn, p.action),
        updated_at = @now
    FROM leased r LEFT JOIN (
        SELECT lane, count(*) AS n, max(turn) FILTER (WHERE class = 2) AS bulk, max(turn) FILTER (WHERE class = 1) AS action
        FROM picked GROUP BY lane
    ) p ON p.lane = r.lane
    WHERE lanes.id = r.lane
    RETURNING r.at, lanes.id, lanes.tenant_id, lanes.additions
),
claimed AS (
    UPDATE messages SET
        state = 'sending', attempt = attempt + 1, fence = picked.fence, claimed_at = @now, answered_at = NULL,
        posted = false, updated_at = @now, from_number = coalesce(a.number, from_number)
    FROM picked
    JOIN lane ON lane.id = picked.lane
    LEFT JOIN accounts a ON a.tenant_id = lane.tenant_id AND a.dialpad_id = picked.sender_id
    WHERE messages.id = picked.id AND messages.state = 'queued'
    RETURNING messages.*
),
{{template "sender.sql"}},
facts AS MATERIALIZED (
    {{template "facts.sql"}}
)
SELECT r.at, lane.id IS NOT NULL AS held, lane.additions, facts.*,
    CASE WHEN lane.id IS NULL THEN EXISTS (
        SELECT 1 FROM lanes l
        WHERE l.id = r.lane AND l.lease_owner = r.owner AND l.fence = r.fence AND l.lease_until > {{leaseNow}})
    END AS busy
FROM request r
LEFT JOIN lane ON lane.at = r.at
LEFT JOIN facts ON facts.lane_id = lane.id
ORDER BY facts.class, facts.turn, facts.id
