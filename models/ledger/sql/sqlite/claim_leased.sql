-- Returns the lanes whose lease is valid, by the index of the request.
SELECT json_extract(r.value, '$.at') AS at, l.additions
FROM json_each(@requests) r
JOIN lanes l ON l.id = json_extract(r.value, '$.lane') AND l.lease_owner = json_extract(r.value, '$.owner')
    AND l.fence = json_extract(r.value, '$.fence') AND l.lease_until > @lease_now
