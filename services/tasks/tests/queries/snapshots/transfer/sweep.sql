WITH broken_off AS MATERIALIZED (
  SELECT
    imports.id,
    imports.user_id
  FROM imports
  WHERE
    imports.begun_at < now() - :retention
  ORDER BY
    imports.begun_at
  LIMIT 1
    FOR UPDATE SKIP LOCKED
), left_over AS MATERIALIZED (
  SELECT
    staged_tasks.user_id,
    staged_tasks.import_id,
    staged_tasks.old_id
  FROM staged_tasks
  JOIN broken_off
    ON broken_off.user_id = staged_tasks.user_id AND broken_off.id = staged_tasks.import_id
  LIMIT :quota::INT
), swept AS (
  DELETE FROM staged_tasks USING   left_over
  WHERE
    staged_tasks.user_id = left_over.user_id
    AND staged_tasks.import_id = left_over.import_id
    AND staged_tasks.old_id = left_over.old_id
), emptied AS (
  DELETE FROM imports USING   broken_off
  WHERE
    imports.id = broken_off.id
    AND (
      SELECT
        count(*) AS count_1
      FROM left_over
    ) < :quota::INT
)
SELECT
  broken_off.id
FROM broken_off;
