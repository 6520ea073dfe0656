SELECT
  owners.counter,
  owners.pruned_version,
  changes.version,
  changes.kind,
  changes.content
FROM owners
LEFT OUTER JOIN LATERAL (
  SELECT
    anon_1.version,
    'task'::VARCHAR AS kind,
    CAST(row_to_json(anon_1) AS TEXT) AS content
  FROM (
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
      tasks.parent_id
    FROM tasks
    WHERE
      tasks.user_id = owners.id AND tasks.version > :since::BIGINT
    ORDER BY
      tasks.version
    LIMIT :limit::INT
  ) AS anon_1
  UNION ALL
  SELECT
    anon_2.version,
    'list'::VARCHAR AS kind,
    CAST(row_to_json(anon_2) AS TEXT) AS content
  FROM (
    SELECT
      task_lists.id,
      task_lists.user_id,
      task_lists.name,
      repeat(
        '0',
        20 - length(
          CAST(trunc(
            trim_scale(
              coalesce(task_lists.position, EXTRACT(EPOCH FROM timezone('UTC', task_lists.created_at)) * 1000000)
            )
          ) AS TEXT)
        )
      ) || CAST(trim_scale(
        coalesce(task_lists.position, EXTRACT(EPOCH FROM timezone('UTC', task_lists.created_at)) * 1000000)
      ) AS TEXT) AS position,
      task_lists.version,
      to_char(timezone('UTC', task_lists.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
      to_char(timezone('UTC', task_lists.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at
    FROM task_lists
    WHERE
      task_lists.user_id = owners.id AND task_lists.version > :since::BIGINT
    ORDER BY
      task_lists.version
    LIMIT :limit::INT
  ) AS anon_2
  UNION ALL
  SELECT
    anon_3.version,
    'label'::VARCHAR AS kind,
    CAST(row_to_json(anon_3) AS TEXT) AS content
  FROM (
    SELECT
      labels.id,
      labels.user_id,
      labels.name,
      labels.version,
      to_char(timezone('UTC', labels.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
      to_char(timezone('UTC', labels.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at
    FROM labels
    WHERE
      labels.user_id = owners.id AND labels.version > :since::BIGINT
    ORDER BY
      labels.version
    LIMIT :limit::INT
  ) AS anon_3
  UNION ALL
  SELECT
    anon_4.version,
    'deletion'::VARCHAR AS kind,
    CAST(row_to_json(anon_4) AS TEXT) AS content
  FROM (
    SELECT
      task_tombstones.kind,
      task_tombstones.id,
      task_tombstones.version
    FROM task_tombstones
    WHERE
      task_tombstones.user_id = owners.id
      AND task_tombstones.version > :since::BIGINT
      AND NOT (
        EXISTS(
          SELECT
            *
          FROM tasks
          WHERE
            task_tombstones.kind = 'task'::VARCHAR
            AND tasks.user_id = task_tombstones.user_id
            AND tasks.id = task_tombstones.id
        )
      )
      AND NOT (
        EXISTS(
          SELECT
            *
          FROM task_lists
          WHERE
            task_tombstones.kind = 'list'::VARCHAR
            AND task_lists.user_id = task_tombstones.user_id
            AND task_lists.id = task_tombstones.id
        )
      )
      AND NOT (
        EXISTS(
          SELECT
            *
          FROM labels
          WHERE
            task_tombstones.kind = 'label'::VARCHAR
            AND labels.user_id = task_tombstones.user_id
            AND labels.id = task_tombstones.id
        )
      )
    ORDER BY
      task_tombstones.version
    LIMIT :limit::INT
  ) AS anon_4
  ORDER BY
    version
  LIMIT :limit::INT
) AS changes
  ON TRUE
WHERE
  owners.id = :current_user_id::UUID;
