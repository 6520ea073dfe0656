SELECT
  owners.counter,
  clock_timestamp() AS now,
  recurring.id,
  recurring.due_date,
  recurring.due_time,
  recurring.due_time_zone,
  recurring.recurrence_rule,
  recurring.recurrence_from,
  recurring.sort_position
FROM owners
LEFT OUTER JOIN LATERAL (
  SELECT
    tasks.id,
    tasks.due_date,
    tasks.due_time,
    tasks.due_time_zone,
    tasks.recurrence_rule,
    tasks.recurrence_from,
    coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS sort_position
  FROM tasks
  WHERE
    tasks.user_id = owners.id
    AND NOT tasks.is_completed
    AND tasks.recurrence_rule IS NOT NULL
    AND NOT (
      EXISTS(
        SELECT
          *
        FROM tasks AS successor
        WHERE
          successor.user_id = tasks.user_id
          AND successor.previous_id = tasks.id
          AND (
            successor.made_subtask_count IS NOT NULL
            OR successor.made_version IS NULL
            AND successor.parent_id IS NULL
          )
      )
    )
    AND tasks.id = ANY (:ids::UUID[])
) AS recurring
  ON TRUE
WHERE
  owners.id = :current_user_id::UUID
ORDER BY
  recurring.sort_position,
  recurring.id;
