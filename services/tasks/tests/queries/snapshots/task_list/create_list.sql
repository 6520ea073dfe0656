WITH seen AS MATERIALIZED (
  SELECT
    begun.counter
  FROM owners AS begun
  WHERE
    begun.id = :current_user_id::UUID
), locked AS MATERIALIZED (
  SELECT
    owners.id,
    owners.counter,
    owners.task_count,
    owners.list_count,
    owners.label_count,
    owners.pruned_version,
    owners.created_at,
    owners.counter = seen.counter AS is_current
  FROM owners
  JOIN seen
    ON TRUE
  WHERE
    owners.id = :current_user_id::UUID
    AND owners.list_count < :quota::INT
    AND owners.counter = seen.counter
    AND NOT (
      EXISTS(
        SELECT
          *
        FROM task_lists AS namesakes
        WHERE
          namesakes.user_id = owners.id AND namesakes.folded_name = :new_folded_name::VARCHAR
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
), list AS (
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
), made AS (
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
    list.id,
    list.user_id,
    list.name,
    list.folded_name,
    list.position,
    list.created_at,
    list.updated_at,
    list.version
  FROM list
  ON CONFLICT (id) DO NOTHING
  RETURNING
    task_lists.id,
    task_lists.user_id,
    task_lists.version
), counted AS (
  UPDATE owners SET
    counter = made.version,
    list_count = (owners.list_count + 1::INT)
  FROM made
  WHERE
    owners.id = made.user_id
)
SELECT
  made.id,
  made.version,
  CAST((
    SELECT
      row_to_json(shown) AS row_to_json_1
    FROM (
      SELECT
        list.id,
        list.user_id,
        list.name,
        repeat(
          '0',
          20 - length(
            CAST(trunc(
              trim_scale(coalesce(list.position, EXTRACT(EPOCH FROM timezone('UTC', list.created_at)) * 1000000))
            ) AS TEXT)
          )
        ) || CAST(trim_scale(coalesce(list.position, EXTRACT(EPOCH FROM timezone('UTC', list.created_at)) * 1000000)) AS TEXT) AS position,
        list.version,
        to_char(timezone('UTC', list.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
        to_char(timezone('UTC', list.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at
      FROM list
    ) AS shown
  ) AS TEXT) AS response
FROM made;
