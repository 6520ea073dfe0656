SELECT
  idempotency_keys.digest,
  idempotency_keys.task_id AS id,
  idempotency_keys.version,
  idempotency_keys.answer AS response,
  owners.task_count,
  (owners.label_count + cardinality(:folded_names::TEXT[])) - (
    SELECT
      count(*) AS count_1
    FROM labels
    WHERE
      labels.user_id = owners.id AND labels.folded_name = ANY (:folded_names::TEXT[])
  ) AS label_count,
  tasks.user_id AS holder,
  (
    EXISTS(
      SELECT
        *
      FROM task_tombstones
      WHERE
        task_tombstones.user_id = :current_user_id::UUID
        AND task_tombstones.id = :target_id::UUID
        AND task_tombstones.kind <> 'task'::VARCHAR
    )
  )
  OR (
    EXISTS(
      SELECT
        *
      FROM task_lists
      WHERE
        task_lists.user_id = :current_user_id::UUID AND task_lists.id = :target_id::UUID
    )
  )
  OR (
    EXISTS(
      SELECT
        *
      FROM labels
      WHERE
        labels.user_id = :current_user_id::UUID AND labels.id = :target_id::UUID
    )
  ) AS is_spent,
  :new_list_id::UUID IS NULL
  OR (
    EXISTS(
      SELECT
        *
      FROM task_lists
      WHERE
        task_lists.user_id = owners.id AND task_lists.id = :new_list_id::UUID
    )
  ) AS has_list,
  CASE
    WHEN (parent.id IS NULL AND :new_parent_id::UUID <> :target_id::UUID) THEN 'parent-not-found'::VARCHAR
    WHEN (:new_parent_id::UUID = :target_id::UUID OR parent.parent_id IS NOT NULL) THEN 'nested-too-deep'::VARCHAR
    WHEN (
      :sets_list_id
      AND :new_list_id::UUID IS DISTINCT FROM parent.list_id
      OR :new_recurrence_rule::VARCHAR IS NOT NULL
    ) THEN 'contradiction'::VARCHAR
    WHEN (
      (
        SELECT
          count(*) AS count_2
        FROM tasks AS sibling
        WHERE
          sibling.user_id = :current_user_id::UUID AND sibling.parent_id = :new_parent_id::UUID
      ) >= 100::INT
    ) THEN 'subtasks-full'::VARCHAR
  END AS parent_conflict
FROM owners
LEFT OUTER JOIN idempotency_keys
  ON idempotency_keys.user_id = owners.id
  AND idempotency_keys.operation = :operation_name::VARCHAR
  AND idempotency_keys.key = :idempotency_key::VARCHAR
  AND idempotency_keys.created_at > clock_timestamp() - '1 day, 0:00:00'
LEFT OUTER JOIN tasks
  ON tasks.id = :target_id::UUID
LEFT OUTER JOIN tasks AS parent
  ON parent.user_id = :current_user_id::UUID AND parent.id = :new_parent_id::UUID
WHERE
  owners.id = :current_user_id::UUID;
