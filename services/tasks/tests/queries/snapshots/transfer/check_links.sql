SELECT
  coalesce(bool_or(parent.parent_id IS NOT NULL OR subtask.recurrence_rule IS NOT NULL), FALSE) AS breaks_rule,
  coalesce(bool_or(subtask.list_id IS DISTINCT FROM parent.list_id), FALSE) AS has_wanderers,
  EXISTS(
    SELECT
      tasks.parent_id
    FROM tasks
    WHERE
      tasks.user_id = :current_user_id::UUID AND tasks.parent_id IS NOT NULL
    GROUP BY
      tasks.parent_id
    HAVING
      count(*) > 100::INT
  ) AS is_crowded
FROM tasks AS subtask
JOIN tasks AS parent
  ON parent.id = subtask.parent_id
  AND parent.user_id IS NOT DISTINCT FROM :current_user_id::UUID
WHERE
  subtask.user_id = :current_user_id::UUID AND subtask.parent_id IS NOT NULL;
