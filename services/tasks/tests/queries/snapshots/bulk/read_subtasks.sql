SELECT
  tasks.id,
  tasks.parent_id,
  tasks.due_date,
  tasks.due_time,
  tasks.due_time_zone,
  coalesce(tasks.id = ANY (:ids::UUID[]), FALSE) AS is_matched
FROM tasks
WHERE
  tasks.user_id = :current_user_id::UUID
  AND tasks.parent_id IS NOT NULL
  AND tasks.parent_id = ANY (:parent_ids::UUID[]);
