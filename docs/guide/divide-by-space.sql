-- Divides every table of a space into partitions by a hash of the space. Stop the servers first, and run it in the schema of the server:
--   psql "$HOLDFAST_DATABASE_URL" -v ON_ERROR_STOP=1 -f docs/guide/divide-by-space.sql
-- One transaction; run again it divides what has been added since. A table of which some key has no space in it is left whole.
DO $$
DECLARE
  parts CONSTANT integer := 16;
  divided name[];
  references_to_add text[] := '{}';
  indexes_to_make text[];
  moved name;
  made text;
BEGIN
  SELECT coalesce(array_agg(relname ORDER BY relname), '{}') INTO divided FROM pg_class AS t
  WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND NOT relispartition
    AND EXISTS (SELECT FROM pg_index WHERE indrelid = t.oid AND indisprimary)
    AND NOT EXISTS (
      SELECT FROM pg_index JOIN pg_class AS i ON i.oid = indexrelid
      WHERE indrelid = t.oid AND indisunique
        AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = t.oid AND attname = 'space' AND attnum = ANY (indkey)))
    AND relname <> 'holdfast_spaces';

  -- References between the tables are added again when all are divided.
  FOR moved, made IN
    SELECT conrelid::regclass, format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace
      AND (SELECT relname FROM pg_class WHERE oid = conrelid) = ANY (divided)
  LOOP
    references_to_add := references_to_add || made;
  END LOOP;

  FOREACH moved IN ARRAY divided LOOP
    -- Keys first, then the other indexes, each under the name that it had.
    SELECT coalesce(array_agg(definition), '{}') INTO indexes_to_make FROM (
      SELECT format('ALTER TABLE %I ADD CONSTRAINT %I %s', moved, conname, pg_get_constraintdef(oid)) AS definition
      FROM pg_constraint WHERE conrelid = moved::text::regclass AND contype IN ('p', 'u')
      UNION ALL
      SELECT pg_get_indexdef(indexrelid) FROM pg_index
      WHERE indrelid = moved::text::regclass AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))
    ) AS definitions;
    EXECUTE format('ALTER TABLE %I RENAME TO undivided', moved);
    EXECUTE format('CREATE TABLE %I (LIKE undivided INCLUDING DEFAULTS INCLUDING STORAGE) PARTITION BY HASH (space)', moved);
    FOR part IN 0 .. parts - 1 LOOP
      EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES WITH (MODULUS %s, REMAINDER %s)', moved || '_' || part, moved, parts, part);
    END LOOP;
    EXECUTE format('INSERT INTO %I SELECT * FROM undivided', moved);
    DROP TABLE undivided CASCADE;
    FOREACH made IN ARRAY indexes_to_make LOOP
      EXECUTE made;
    END LOOP;
  END LOOP;

  FOREACH made IN ARRAY references_to_add LOOP
    EXECUTE made;
  END LOOP;
  -- A reference is checked at the end of its transaction.
  RAISE NOTICE 'Divided: %', array_to_string(divided, ', ');
END $$;
