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
), current AS (
  SELECT
    task_lists.id,
    task_lists.user_id,
    task_lists.name,
    task_lists.folded_name,
    task_lists.position,
    task_lists.created_at,
    task_lists.updated_at,
    task_lists.version,
    owner.now,
    CASE
      WHEN NOT owner.is_current THEN 'stale'::VARCHAR
      WHEN (
        EXISTS(
          SELECT
            *
          FROM task_lists AS other
          WHERE
            other.user_id = owner.id
            AND other.folded_name = :new_folded_name::VARCHAR
            AND other.id <> task_lists.id
        )
      ) THEN 'name-taken'::VARCHAR
      WHEN (
        NOT (:if_match::TEXT[] IS NULL OR CAST(task_lists.version AS TEXT) = ANY (:if_match::TEXT[]))
      ) THEN 'version-mismatch'::VARCHAR
    END AS conflict,
    task_lists.name <> coalesce(:new_name::VARCHAR, task_lists.name) AS differs
  FROM task_lists
  JOIN owner
    ON task_lists.user_id = owner.id
  WHERE
    task_lists.id = :target_id::UUID
    FOR UPDATE OF task_lists
), writable AS (
  SELECT
    current.id,
    current.user_id,
    current.name,
    current.folded_name,
    current.position,
    current.created_at,
    current.updated_at,
    current.version,
    current.now,
    current.conflict,
    current.differs
  FROM current
  WHERE
    current.differs AND current.conflict IS NULL
), counter_bump AS (
  UPDATE owners SET
    counter = (owners.counter + 1::BIGINT)
  FROM writable
  WHERE
    owners.id = writable.user_id
  RETURNING
    owners.id,
    owners.counter,
    writable.now
), updated AS (
  UPDATE task_lists SET
    name = :new_name::VARCHAR,
    folded_name = :new_folded_name::VARCHAR,
    updated_at = counter_bump.now,
    version = counter_bump.counter
  FROM counter_bump
  WHERE
    task_lists.id = :target_id::UUID AND task_lists.user_id = counter_bump.id
  RETURNING
    task_lists.id,
    task_lists.user_id,
    task_lists.name,
    repeat(
      '0',
      20 - length(
        CAST(trunc(
          trim_scale(
            coalesce(task_lists.position, EXTRACT(EPOCH FROM timezone('UTC', task_lists.created_at)) * 1000000)
          )
        ) AS TEXT)
      )
    ) || CAST(trim_scale(
      coalesce(task_lists.position, EXTRACT(EPOCH FROM timezone('UTC', task_lists.created_at)) * 1000000)
    ) AS TEXT) AS position,
    task_lists.version,
    to_char(timezone('UTC', task_lists.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
    to_char(timezone('UTC', task_lists.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at,
    NULL AS conflict
)
SELECT
  updated.id,
  updated.user_id,
  updated.name,
  updated.position,
  updated.version,
  updated.created_at,
  updated.updated_at,
  updated.conflict
FROM updated
UNION ALL
SELECT
  current.id,
  current.user_id,
  current.name,
  repeat(
    '0',
    20 - length(
      CAST(trunc(
        trim_scale(
          coalesce(current.position, EXTRACT(EPOCH FROM timezone('UTC', current.created_at)) * 1000000)
        )
      ) AS TEXT)
    )
  ) || CAST(trim_scale(
    coalesce(current.position, EXTRACT(EPOCH FROM timezone('UTC', current.created_at)) * 1000000)
  ) AS TEXT) AS position,
  current.version,
  to_char(timezone('UTC', current.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
  to_char(timezone('UTC', current.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at,
  current.conflict
FROM current
WHERE
  NOT (
    EXISTS(
      SELECT
        writable.id
      FROM writable
    )
  );
