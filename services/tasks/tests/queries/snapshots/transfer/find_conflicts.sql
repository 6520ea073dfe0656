WITH incoming AS (
  SELECT DISTINCT ON (current.id)
    current.id,
    staged.line,
    current.parent_id,
    current.list_id,
    current.recurrence_rule,
    coalesce(staged.has_list, TRUE) AS has_list
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
  WHERE
    staged.user_id = :current_user_id::UUID
    AND staged.import_id = :current_import_id::UUID
    AND staged.line BETWEEN :first_line::INT AND :last_line::INT
  ORDER BY
    current.id,
    staged.line DESC
), conflicts AS (
  SELECT
    incoming.line,
    CASE
      WHEN (parent.parent_id IS NOT NULL) THEN 'parent-is-subtask'::VARCHAR
      WHEN (incoming.recurrence_rule IS NOT NULL) THEN 'recurs'::VARCHAR
      WHEN (incoming.has_list AND incoming.list_id IS DISTINCT FROM parent.list_id) THEN 'elsewhere'::VARCHAR
      WHEN (
        EXISTS(
          SELECT
            *
          FROM tasks AS subtask
          WHERE
            subtask.user_id = :current_user_id::UUID AND subtask.parent_id = incoming.id
        )
      ) THEN 'has-subtasks'::VARCHAR
      WHEN (
        (
          SELECT
            count(*) AS count_1
          FROM tasks AS subtask
          WHERE
            subtask.user_id = :current_user_id::UUID AND subtask.parent_id = incoming.parent_id
        ) > 100::INT
      ) THEN 'too-many'::VARCHAR
    END AS conflict
  FROM incoming
  JOIN tasks AS parent
    ON parent.id = incoming.parent_id
    AND parent.user_id IS NOT DISTINCT FROM :current_user_id::UUID
)
SELECT
  conflicts.line,
  conflicts.conflict
FROM conflicts
WHERE
  conflicts.conflict IS NOT NULL
ORDER BY
  conflicts.line;
