SELECT
  tasks.id,
  tasks.user_id,
  tasks.title,
  tasks.description,
  tasks.is_completed,
  tasks.status,
  to_char(timezone('UTC', tasks.completed_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS completed_at,
  to_char(timezone('UTC', tasks.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
  to_char(timezone('UTC', tasks.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at,
  tasks.version,
  tasks.list_id,
  CASE
    WHEN (tasks.due_date IS NOT NULL) THEN json_build_object(
      'date',
      tasks.due_date,
      'time',
      to_char(tasks.due_time, 'HH24:MI'),
      'time_zone',
      tasks.due_time_zone,
      'at',
      to_char(timezone('UTC', tasks.due_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    )
  END AS due,
  CASE tasks.priority WHEN 0 THEN 'none' WHEN 1 THEN 'low' WHEN 2 THEN 'medium' WHEN 3 THEN 'high' END AS priority,
  array(
    (
      SELECT
        labels.name
      FROM labels
      JOIN task_labels
        ON task_labels.label_id = labels.id
      WHERE
        task_labels.user_id = tasks.user_id
        AND task_labels.task_id = tasks.id
        AND labels.user_id = tasks.user_id
      ORDER BY
        labels.folded_name
    )
  ) AS labels,
  repeat(
    '0',
    20 - length(
      CAST(trunc(
        trim_scale(
          coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000)
        )
      ) AS TEXT)
    )
  ) || CAST(trim_scale(
    coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000)
  ) AS TEXT) AS position,
  CASE
    WHEN (tasks.recurrence_rule IS NOT NULL) THEN json_build_object('rule', tasks.recurrence_rule, 'from', tasks.recurrence_from)
  END AS recurrence,
  tasks.previous_id,
  tasks.parent_id,
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
  ) AS next_id
FROM tasks
WHERE
  tasks.id = :target_id::UUID AND tasks.user_id = :current_user_id::UUID;
