SELECT
  idempotency_keys.digest,
  idempotency_keys.task_id AS id,
  idempotency_keys.version,
  idempotency_keys.answer AS response,
  owners.list_count,
  task_lists.user_id AS holder,
  EXISTS(
    SELECT
      *
    FROM task_lists AS same_name
    WHERE
      same_name.user_id = owners.id AND same_name.folded_name = :new_folded_name::VARCHAR
  ) AS has_name,
  (
    EXISTS(
      SELECT
        *
      FROM task_tombstones
      WHERE
        task_tombstones.user_id = :current_user_id::UUID
        AND task_tombstones.id = :target_id::UUID
        AND task_tombstones.kind <> 'list'::VARCHAR
    )
  )
  OR (
    EXISTS(
      SELECT
        *
      FROM tasks
      WHERE
        tasks.user_id = :current_user_id::UUID AND tasks.id = :target_id::UUID
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
  ) AS is_spent
FROM owners
LEFT OUTER JOIN idempotency_keys
  ON idempotency_keys.user_id = owners.id
  AND idempotency_keys.operation = :operation_name::VARCHAR
  AND idempotency_keys.key = :idempotency_key::VARCHAR
  AND idempotency_keys.created_at > clock_timestamp() - '1 day, 0:00:00'
LEFT OUTER JOIN task_lists
  ON task_lists.id = :target_id::UUID
WHERE
  owners.id = :current_user_id::UUID;
