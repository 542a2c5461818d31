-- Picks messages of one lane: see postgres/claim.sql. NOT EXISTS looks
-- up each candidate's pair by index: with the NOT IN of Postgres,
-- SQLite would compare each candidate with all sending messages.
SELECT id, class, turn, sender_id
FROM (
    SELECT id, class, turn, sender_id, share,
        row_number() OVER (PARTITION BY sender_id, to_number ORDER BY class, turn, id, share) AS nth
    FROM (
        SELECT * FROM (
            SELECT 0 AS share, m.id, m.class, m.turn, m.sender_id, m.to_number
            FROM messages m JOIN batches b ON b.id = m.batch_id
            WHERE m.lane_id = @lane AND m.state = 'queued' AND b.state IN ('preparing', 'sending')
                AND (m.quiet_at IS NULL OR m.quiet_at > @now)
                AND NOT EXISTS (
                    SELECT 1 FROM messages f
                    WHERE f.lane_id = @lane AND f.sender_id = m.sender_id AND f.to_number = m.to_number AND f.state = 'sending')
                AND m.class = (
                    SELECT max(class) FROM messages
                    WHERE lane_id = @lane AND state = 'queued' AND class <= @max_lower_class)
            ORDER BY m.turn, m.id LIMIT @lower_class
        ) AS lowest
        UNION ALL
        SELECT * FROM (
            SELECT 1 AS share, m.id, m.class, m.turn, m.sender_id, m.to_number
            FROM messages m JOIN batches b ON b.id = m.batch_id
            WHERE m.lane_id = @lane AND m.state = 'queued' AND b.state IN ('preparing', 'sending')
                AND (m.quiet_at IS NULL OR m.quiet_at > @now)
                AND NOT EXISTS (
                    SELECT 1 FROM messages f
                    WHERE f.lane_id = @lane AND f.sender_id = m.sender_id AND f.to_number = m.to_number AND f.state = 'sending')
            ORDER BY m.class, m.turn, m.id LIMIT @n
        ) AS first
    ) AS candidates
) AS ranked
WHERE nth = 1 ORDER BY share, class, turn, id LIMIT @n
