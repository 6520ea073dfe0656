WITH snapshot AS MATERIALIZED (
  SELECT
    snapshot_owner.counter
  FROM owners AS snapshot_owner
  WHERE
    snapshot_owner.id = :current_user_id::UUID
), lock_timeout AS (
  SELECT
    set_config('lock_timeout'::VARCHAR, '2s'::VARCHAR, TRUE) AS value
), locked AS MATERIALIZED (
  SELECT
    owners.id,
    owners.counter,
    owners.task_count,
    owners.list_count,
    owners.label_count,
    owners.pruned_version,
    owners.created_at,
    owners.counter = snapshot.counter AS is_current
  FROM owners
  JOIN snapshot
    ON TRUE
  JOIN lock_timeout
    ON TRUE
  WHERE
    owners.id = :current_user_id::UUID
    AND owners.list_count < :quota::INT
    AND owners.counter = snapshot.counter
    AND NOT (
      EXISTS(
        SELECT
          *
        FROM task_lists AS same_name
        WHERE
          same_name.user_id = owners.id AND same_name.folded_name = :new_folded_name::VARCHAR
      )
    )
    AND NOT (
      EXISTS(
        SELECT
          *
        FROM idempotency_keys
        WHERE
          idempotency_keys.user_id = owners.id
          AND idempotency_keys.operation = :operation_name::VARCHAR
          AND idempotency_keys.key = :idempotency_key::VARCHAR
          AND idempotency_keys.created_at > clock_timestamp() - '1 day, 0:00:00'
      )
    )
    FOR NO KEY UPDATE OF owners
), owner AS MATERIALIZED (
  SELECT
    locked.id,
    locked.counter,
    locked.task_count,
    locked.list_count,
    locked.label_count,
    locked.pruned_version,
    locked.created_at,
    locked.is_current,
    clock_timestamp() AS now
  FROM locked
), new_list AS (
  SELECT
    :target_id::UUID AS id,
    owner.id AS user_id,
    :new_name::VARCHAR AS name,
    :new_folded_name::VARCHAR AS folded_name,
    NULL::DECIMAL AS position,
    owner.now AS created_at,
    owner.now AS updated_at,
    owner.counter + 1::BIGINT AS version,
    owner.now
  FROM owner
), inserted AS (
  INSERT INTO task_lists (
    id,
    user_id,
    name,
    folded_name,
    position,
    created_at,
    updated_at,
    version
  )
  SELECT
    new_list.id,
    new_list.user_id,
    new_list.name,
    new_list.folded_name,
    new_list.position,
    new_list.created_at,
    new_list.updated_at,
    new_list.version
  FROM new_list
  ON CONFLICT (id) DO NOTHING
  RETURNING
    task_lists.id,
    task_lists.user_id,
    task_lists.version
), updated_owner AS (
  UPDATE owners SET
    counter = inserted.version,
    list_count = (owners.list_count + 1::INT)
  FROM inserted
  WHERE
    owners.id = inserted.user_id
), stored_response AS (
  INSERT INTO idempotency_keys (
    user_id,
    operation,
    key,
    digest,
    task_id,
    version,
    answer,
    created_at
  )
  SELECT
    new_list.user_id,
    :operation_name::VARCHAR AS anon_1,
    :idempotency_key::VARCHAR AS anon_2,
    :fingerprint AS anon_3,
    new_list.id,
    new_list.version,
    CAST((
      SELECT
        row_to_json(shown) AS row_to_json_1
      FROM (
        SELECT
          new_list.id,
          new_list.user_id,
          new_list.name,
          repeat(
            '0',
            20 - length(
              CAST(trunc(
                trim_scale(
                  coalesce(new_list.position, EXTRACT(EPOCH FROM timezone('UTC', new_list.created_at)) * 1000000)
                )
              ) AS TEXT)
            )
          ) || CAST(trim_scale(
            coalesce(new_list.position, EXTRACT(EPOCH FROM timezone('UTC', new_list.created_at)) * 1000000)
          ) AS TEXT) AS position,
          new_list.version,
          to_char(timezone('UTC', new_list.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
          to_char(timezone('UTC', new_list.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at
        FROM new_list
      ) AS shown
    ) AS TEXT) AS anon_4,
    new_list.now
  FROM new_list
  ON CONFLICT (user_id, operation, key) DO UPDATE SET
    digest = excluded.digest,
    task_id = excluded.task_id,
    version = excluded.version,
    answer = excluded.answer,
    created_at = excluded.created_at
  WHERE
    idempotency_keys.created_at <= excluded.created_at - '1 day, 0:00:00'
  RETURNING
    idempotency_keys.user_id,
    idempotency_keys.created_at
), old_keys AS (
  SELECT
    idempotency_keys.user_id,
    idempotency_keys.operation,
    idempotency_keys.key,
    idempotency_keys.created_at
  FROM idempotency_keys
  WHERE
    idempotency_keys.user_id = :current_user_id::UUID
    AND idempotency_keys.created_at <= (
      SELECT
        stored_response.created_at - '1 day, 0:00:00' AS anon_5
      FROM stored_response
    )
    AND (idempotency_keys.operation, idempotency_keys.key) <> (:operation_name::VARCHAR, :idempotency_key::VARCHAR)
  ORDER BY
    idempotency_keys.created_at
  LIMIT 2::INT
), pruned_keys AS (
  DELETE FROM idempotency_keys USING   old_keys
  WHERE
    idempotency_keys.user_id = old_keys.user_id
    AND idempotency_keys.operation = old_keys.operation
    AND idempotency_keys.key = old_keys.key
    AND idempotency_keys.created_at = old_keys.created_at
)
SELECT
  inserted.id,
  inserted.version,
  CAST((
    SELECT
      row_to_json(shown) AS row_to_json_1
    FROM (
      SELECT
        new_list.id,
        new_list.user_id,
        new_list.name,
        repeat(
          '0',
          20 - length(
            CAST(trunc(
              trim_scale(
                coalesce(new_list.position, EXTRACT(EPOCH FROM timezone('UTC', new_list.created_at)) * 1000000)
              )
            ) AS TEXT)
          )
        ) || CAST(trim_scale(
          coalesce(new_list.position, EXTRACT(EPOCH FROM timezone('UTC', new_list.created_at)) * 1000000)
        ) AS TEXT) AS position,
        new_list.version,
        to_char(timezone('UTC', new_list.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
        to_char(timezone('UTC', new_list.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at
      FROM new_list
    ) AS shown
  ) AS TEXT) AS response
FROM inserted;
