WITH snapshot AS MATERIALIZED (
  SELECT
    snapshot_owner.counter
  FROM owners AS snapshot_owner
  WHERE
    snapshot_owner.id = :current_user_id::UUID
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
), deleted_tombstones AS (
  DELETE FROM task_tombstones USING   inserted
  WHERE
    task_tombstones.user_id = :current_user_id::UUID
    AND task_tombstones.id = inserted.id
    AND task_tombstones.kind = 'list'::VARCHAR
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
