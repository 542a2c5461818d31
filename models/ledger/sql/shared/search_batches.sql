-- Those of the batches whose text, sender, workflow, number or, of a one-to-one,
-- recipient's name has the query as a part, without case and accents. The name
-- is looked up: as EXISTS, Postgres may compare all messages first.
SELECT * FROM batches
WHERE id IN {{list "@ids"}} AND tenant_id = @tenant AND (
    search_text LIKE @like ESCAPE '\' OR search_names LIKE @like ESCAPE '\' OR to_number = @number AND to_number <> ''
    OR source = 'one' AND (
        SELECT m.search_name FROM messages m WHERE m.batch_id = batches.id ORDER BY m.state, m.id LIMIT 1) LIKE @like ESCAPE '\')
ORDER BY id DESC LIMIT @n
