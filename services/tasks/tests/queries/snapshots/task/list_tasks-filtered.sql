SELECT
  owners.counter,
  listed.id,
  listed.user_id,
  listed.title,
  listed.description,
  listed.is_completed,
  listed.status,
  listed.completed_at,
  listed.created_at,
  listed.updated_at,
  listed.version,
  listed.list_id,
  listed.due,
  listed.priority,
  listed.labels,
  listed.position,
  listed.recurrence,
  listed.previous_id,
  listed.parent_id
FROM owners
LEFT OUTER JOIN LATERAL (
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
    tasks.user_id = owners.id
    AND CAST(owners.counter AS TEXT) <> ALL(:if_none_match::TEXT[])
    AND tasks.due_date > :due_after::DATE
    AND tasks.due_date < :due_before::DATE
    AND tasks.is_completed = :is_completed
    AND tasks.id IN (
      SELECT
        task_labels.task_id
      FROM task_labels
      JOIN labels
        ON labels.user_id = task_labels.user_id AND labels.id = task_labels.label_id
      WHERE
        labels.user_id = :current_user_id::UUID AND labels.folded_name = ANY (:labels::TEXT[])
      GROUP BY
        task_labels.task_id
      HAVING
        count(*) = cardinality(:labels::TEXT[])
    )
    AND tasks.list_id = :list_id::UUID
    AND NOT tasks.is_completed
    AND tasks.due_date <= :today::DATE + 2::INT
    AND CASE
      WHEN (tasks.due_at IS NOT NULL) THEN tasks.due_at < :now::TIMESTAMPTZ
      ELSE tasks.due_date < :today::DATE
    END
    AND tasks.parent_id = :parent_id::UUID
    AND tasks.priority = ANY (:priorities::SMALLINT[])
    AND (
      strpos(
        CASE
          WHEN (
            SELECT
              strpos(replace(replace(casefold(:q::VARCHAR COLLATE pg_unicode_fast), 'ϊ', 'ϊ'), 'ϋ', 'ϋ'), 'ϊ') > 0::INT
              OR strpos(replace(replace(casefold(:q::VARCHAR COLLATE pg_unicode_fast), 'ϊ', 'ϊ'), 'ϋ', 'ϋ'), 'ϋ') > 0::INT AS anon_1
          ) THEN replace(replace(casefold(tasks.title COLLATE pg_unicode_fast), 'ϊ', 'ϊ'), 'ϋ', 'ϋ')
          ELSE casefold(tasks.title COLLATE pg_unicode_fast)
        END,
        (
          SELECT
            replace(replace(casefold(:q::VARCHAR COLLATE pg_unicode_fast), 'ϊ', 'ϊ'), 'ϋ', 'ϋ') AS replace_1
        )
      ) > 0::INT
      OR strpos(
        CASE
          WHEN (
            SELECT
              strpos(replace(replace(casefold(:q::VARCHAR COLLATE pg_unicode_fast), 'ϊ', 'ϊ'), 'ϋ', 'ϋ'), 'ϊ') > 0::INT
              OR strpos(replace(replace(casefold(:q::VARCHAR COLLATE pg_unicode_fast), 'ϊ', 'ϊ'), 'ϋ', 'ϋ'), 'ϋ') > 0::INT AS anon_1
          ) THEN replace(replace(casefold(tasks.description COLLATE pg_unicode_fast), 'ϊ', 'ϊ'), 'ϋ', 'ϋ')
          ELSE casefold(tasks.description COLLATE pg_unicode_fast)
        END,
        (
          SELECT
            replace(replace(casefold(:q::VARCHAR COLLATE pg_unicode_fast), 'ϊ', 'ϊ'), 'ϋ', 'ϋ') AS replace_1
        )
      ) > 0::INT
    )
    AND tasks.parent_id IS NOT NULL
  ORDER BY
    tasks.created_at,
    tasks.id
  LIMIT :limit::INT
) AS listed
  ON TRUE
WHERE
  owners.id = :current_user_id::UUID;
