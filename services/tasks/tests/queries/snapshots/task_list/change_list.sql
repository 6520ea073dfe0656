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
), before AS (
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
), written AS (
  SELECT
    before.id,
    before.user_id,
    before.name,
    before.folded_name,
    before.position,
    before.created_at,
    before.updated_at,
    before.version,
    before.now,
    before.conflict,
    before.differs
  FROM before
  WHERE
    before.differs AND before.conflict IS NULL
), raised AS (
  UPDATE owners SET
    counter = (owners.counter + 1::BIGINT)
  FROM written
  WHERE
    owners.id = written.user_id
  RETURNING
    owners.id,
    owners.counter,
    written.now
), changed AS (
  UPDATE task_lists SET
    name = :new_name::VARCHAR,
    folded_name = :new_folded_name::VARCHAR,
    updated_at = raised.now,
    version = raised.counter
  FROM raised
  WHERE
    task_lists.id = :target_id::UUID AND task_lists.user_id = raised.id
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
  changed.id,
  changed.user_id,
  changed.name,
  changed.position,
  changed.version,
  changed.created_at,
  changed.updated_at,
  changed.conflict
FROM changed
UNION ALL
SELECT
  before.id,
  before.user_id,
  before.name,
  repeat(
    '0',
    20 - length(
      CAST(trunc(
        trim_scale(
          coalesce(before.position, EXTRACT(EPOCH FROM timezone('UTC', before.created_at)) * 1000000)
        )
      ) AS TEXT)
    )
  ) || CAST(trim_scale(
    coalesce(before.position, EXTRACT(EPOCH FROM timezone('UTC', before.created_at)) * 1000000)
  ) AS TEXT) AS position,
  before.version,
  to_char(timezone('UTC', before.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
  to_char(timezone('UTC', before.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at,
  before.conflict
FROM before
WHERE
  NOT (
    EXISTS(
      SELECT
        written.id
      FROM written
    )
  );
