WITH incoming AS (
  SELECT DISTINCT ON (current.id)
    current.id,
    staged.line,
    current.version > :version_before::BIGINT AS was_written,
    coalesce(file_parent.id, own_parent.id) AS parent_id,
    nullif(coalesce(file_previous.id, own_previous.id), current.id) AS previous_id,
    CASE
      WHEN (NOT coalesce(staged.has_list, TRUE) AND staged.parent_id IS NOT NULL) THEN CASE WHEN (file_parent.id IS NOT NULL) THEN file_parent.list_id ELSE own_parent.list_id END
      ELSE current.list_id
    END AS list_id,
    current.parent_id AS current_parent_id,
    current.previous_id AS current_previous_id,
    current.list_id AS current_list_id
  FROM staged_tasks AS staged
  LEFT OUTER JOIN tasks AS file_task
    ON file_task.id = staged.old_id
    AND file_task.user_id IS NOT DISTINCT FROM :current_user_id::UUID
  LEFT OUTER JOIN tasks AS renumbered_task
    ON renumbered_task.id = staged.own_id
    AND renumbered_task.user_id IS NOT DISTINCT FROM :current_user_id::UUID
  JOIN tasks AS current
    ON current.id = coalesce(file_task.id, renumbered_task.id)
    AND current.user_id IS NOT DISTINCT FROM :current_user_id::UUID
  LEFT OUTER JOIN tasks AS file_parent
    ON file_parent.id = staged.parent_id
    AND file_parent.user_id IS NOT DISTINCT FROM :current_user_id::UUID
  LEFT OUTER JOIN tasks AS own_parent
    ON own_parent.id = staged.own_parent_id
    AND own_parent.user_id IS NOT DISTINCT FROM :current_user_id::UUID
  LEFT OUTER JOIN tasks AS file_previous
    ON file_previous.id = staged.previous_id
    AND file_previous.user_id IS NOT DISTINCT FROM :current_user_id::UUID
  LEFT OUTER JOIN tasks AS own_previous
    ON own_previous.id = staged.own_previous_id
    AND own_previous.user_id IS NOT DISTINCT FROM :current_user_id::UUID
  WHERE
    staged.user_id = :current_user_id::UUID
    AND staged.import_id = :current_import_id::UUID
    AND staged.line BETWEEN :first_line::INT AND :last_line::INT
    AND staged.is_planned
  ORDER BY
    current.id,
    staged.line DESC
), changed AS (
  SELECT
    incoming.id,
    incoming.line,
    incoming.was_written,
    incoming.parent_id,
    incoming.previous_id,
    incoming.list_id,
    incoming.current_parent_id,
    incoming.current_previous_id,
    incoming.current_list_id,
    row_number() OVER (ORDER BY incoming.was_written, incoming.line) AS number
  FROM incoming
  WHERE
    (incoming.parent_id, incoming.previous_id, incoming.list_id) IS DISTINCT FROM (incoming.current_parent_id, incoming.current_previous_id, incoming.current_list_id)
    AND incoming.parent_id IS DISTINCT FROM incoming.id
), linked AS (
  UPDATE tasks SET
    version = CASE WHEN changed.was_written THEN tasks.version ELSE owners.counter + changed.number END,
    list_id = changed.list_id,
    previous_id = changed.previous_id,
    parent_id = changed.parent_id,
    made_version = NULL,
    made_subtask_count = NULL
  FROM owners, changed
  WHERE
    owners.id = :current_user_id::UUID
    AND tasks.id = changed.id
    AND tasks.user_id IS NOT DISTINCT FROM :current_user_id::UUID
), counter_bump AS (
  UPDATE owners SET
    counter = (
      owners.counter + (
        SELECT
          count(*) FILTER(WHERE
            NOT changed.was_written) AS count
        FROM changed
      )
    )
  WHERE
    owners.id = :current_user_id::UUID
    AND (
      SELECT
        count(*) FILTER(WHERE
          NOT changed.was_written) AS count
      FROM changed
    ) > 0::INT
  RETURNING
    owners.counter
)
SELECT
  (
    SELECT
      count(*) FILTER(WHERE
        NOT changed.was_written) AS count
    FROM changed
  ) AS updated,
  (
    SELECT
      min(incoming.line) AS min_1
    FROM incoming
    WHERE
      incoming.id = incoming.parent_id
  ) AS own_parent_line;
