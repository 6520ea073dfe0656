WITH wanderers AS (
  SELECT
    subtask.id,
    parent.list_id,
    subtask.version > :version_before::BIGINT AS was_written,
    row_number() OVER (ORDER BY subtask.version > :version_before::BIGINT, subtask.version) AS number
  FROM tasks AS subtask
  JOIN tasks AS parent
    ON parent.id = subtask.parent_id
    AND parent.user_id IS NOT DISTINCT FROM :current_user_id::UUID
  WHERE
    subtask.user_id = :current_user_id::UUID
    AND subtask.parent_id IS NOT NULL
    AND subtask.list_id IS DISTINCT FROM parent.list_id
), followed AS (
  UPDATE tasks SET
    updated_at = CASE WHEN wanderers.was_written THEN tasks.updated_at ELSE clock_timestamp() END,
    version = CASE WHEN wanderers.was_written THEN tasks.version ELSE owners.counter + wanderers.number END,
    list_id = wanderers.list_id,
    made_version = NULL,
    made_subtask_count = NULL
  FROM owners, wanderers
  WHERE
    owners.id = :current_user_id::UUID
    AND tasks.id = wanderers.id
    AND tasks.user_id IS NOT DISTINCT FROM :current_user_id::UUID
), counter_bump AS (
  UPDATE owners SET
    counter = (
      owners.counter + (
        SELECT
          count(*) FILTER(WHERE
            NOT wanderers.was_written) AS count
        FROM wanderers
      )
    )
  WHERE
    owners.id = :current_user_id::UUID
    AND (
      SELECT
        count(*) FILTER(WHERE
          NOT wanderers.was_written) AS count
      FROM wanderers
    ) > 0::INT
  RETURNING
    owners.counter
)
SELECT
  (
    SELECT
      count(*) FILTER(WHERE
        NOT wanderers.was_written) AS count
    FROM wanderers
  ) AS followed;
