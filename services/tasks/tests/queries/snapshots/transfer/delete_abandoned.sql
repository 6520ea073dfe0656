WITH abandoned_import AS MATERIALIZED (
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
), abandoned_tasks AS MATERIALIZED (
  SELECT
    staged_tasks.user_id,
    staged_tasks.import_id,
    staged_tasks.old_id
  FROM staged_tasks
  JOIN abandoned_import
    ON abandoned_import.user_id = staged_tasks.user_id
    AND abandoned_import.id = staged_tasks.import_id
  LIMIT :rows_max::INT
), deleted_tasks AS (
  DELETE FROM staged_tasks USING   abandoned_tasks
  WHERE
    staged_tasks.user_id = abandoned_tasks.user_id
    AND staged_tasks.import_id = abandoned_tasks.import_id
    AND staged_tasks.old_id = abandoned_tasks.old_id
), deleted_import AS (
  DELETE FROM imports USING   abandoned_import
  WHERE
    imports.id = abandoned_import.id
    AND (
      SELECT
        count(*) AS count_1
      FROM abandoned_tasks
    ) < :rows_max::INT
)
SELECT
  abandoned_import.id
FROM abandoned_import;
