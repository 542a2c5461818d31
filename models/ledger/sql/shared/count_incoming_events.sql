-- How many delivery events wait for a round, and when the oldest came.
SELECT count(*) AS n, min(received_at) AS oldest FROM incoming_events
