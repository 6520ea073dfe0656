SELECT
  owners.counter,
  clock_timestamp() AS now,
  tasks.is_completed,
  tasks.due_date,
  tasks.due_time,
  tasks.due_time_zone,
  tasks.recurrence_rule,
  tasks.recurrence_from,
  tasks.previous_id,
  (
    SELECT
      successor.id
    FROM tasks AS successor
    WHERE
      successor.user_id = :current_user_id::UUID
      AND successor.previous_id = :target_id::UUID
      AND (
        successor.made_subtask_count IS NOT NULL
        OR successor.made_version IS NULL
        AND successor.parent_id IS NULL
      )
    ORDER BY
      successor.made_subtask_count IS NULL,
      successor.id
    LIMIT 1::INT
  ) AS next_id,
  (
    SELECT
      successor.version = successor.made_version
      AND successor.made_subtask_count = (
        SELECT
          count(*) AS count_1
        FROM tasks AS part
        WHERE
          part.user_id = successor.user_id AND part.parent_id = successor.id
      )
      AND successor.made_subtask_count = (
        SELECT
          count(*) AS count_1
        FROM tasks AS part
        WHERE
          part.user_id = successor.user_id
          AND part.parent_id = successor.id
          AND part.version = part.made_version
      ) AS anon_1
    FROM tasks AS successor
    WHERE
      successor.user_id = :current_user_id::UUID
      AND successor.previous_id = :target_id::UUID
      AND (
        successor.made_subtask_count IS NOT NULL
        OR successor.made_version IS NULL
        AND successor.parent_id IS NULL
      )
    ORDER BY
      successor.made_subtask_count IS NULL,
      successor.id
    LIMIT 1::INT
  ) AS next_is_untouched,
  subtask.id AS subtask_id,
  subtask.due_date AS subtask_due_date,
  subtask.due_time AS subtask_due_time,
  subtask.due_time_zone AS subtask_due_time_zone
FROM tasks
JOIN owners
  ON owners.id = tasks.user_id
LEFT OUTER JOIN tasks AS subtask
  ON subtask.user_id = tasks.user_id AND subtask.parent_id = tasks.id
WHERE
  tasks.id = :target_id::UUID AND tasks.user_id = :current_user_id::UUID;
