SELECT
  idempotency_keys.digest,
  idempotency_keys.task_id AS id,
  idempotency_keys.version,
  idempotency_keys.answer AS response
FROM idempotency_keys
JOIN owners
  ON idempotency_keys.user_id = owners.id
  AND idempotency_keys.operation = :operation_name::VARCHAR
  AND idempotency_keys.key = :idempotency_key::VARCHAR
  AND idempotency_keys.created_at > clock_timestamp() - '1 day, 0:00:00'
WHERE
  owners.id = :current_user_id::UUID;
