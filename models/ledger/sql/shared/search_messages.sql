-- Those of the messages whose name or number has the query as a part.
SELECT * FROM messages
WHERE id IN {{list "@ids"}} AND tenant_id = @tenant AND (@all OR state IN {{list "@states"}})
    AND (search_name LIKE @name ESCAPE '\' OR search_name = '' AND lower(name) LIKE @old ESCAPE '\' OR to_number LIKE @number)
ORDER BY id LIMIT @n
