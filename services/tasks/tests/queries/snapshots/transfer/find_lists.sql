SELECT
  task_lists.id,
  task_lists.user_id = :current_user_id::UUID AS is_own,
  task_lists.folded_name
FROM task_lists
WHERE
  task_lists.user_id = :current_user_id::UUID OR task_lists.id = ANY (:ids::UUID[])
UNION ALL
SELECT
  task_tombstones.id,
  FALSE AS anon_1,
  NULL::TEXT AS anon_2
FROM task_tombstones
WHERE
  task_tombstones.user_id = :current_user_id::UUID
  AND task_tombstones.id = ANY (:ids::UUID[])
  AND task_tombstones.kind <> 'list'::VARCHAR
UNION ALL
SELECT
  tasks.id,
  FALSE AS anon_1,
  NULL::TEXT AS anon_3
FROM tasks
WHERE
  tasks.user_id = :current_user_id::UUID AND tasks.id = ANY (:ids::UUID[])
UNION ALL
SELECT
  labels.id,
  FALSE AS anon_1,
  NULL::TEXT AS anon_4
FROM labels
WHERE
  labels.user_id = :current_user_id::UUID AND labels.id = ANY (:ids::UUID[]);
