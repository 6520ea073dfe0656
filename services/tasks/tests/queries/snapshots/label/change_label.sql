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
    labels.id,
    labels.user_id,
    labels.name,
    labels.folded_name,
    labels.created_at,
    labels.updated_at,
    labels.version,
    owner.now,
    CASE
      WHEN NOT owner.is_current THEN 'stale'::VARCHAR
      WHEN (
        EXISTS(
          SELECT
            *
          FROM labels AS other
          WHERE
            other.user_id = owner.id
            AND other.folded_name = :new_folded_name::VARCHAR
            AND other.id <> labels.id
        )
      ) THEN 'name-taken'::VARCHAR
      WHEN (
        NOT (:if_match::TEXT[] IS NULL OR CAST(labels.version AS TEXT) = ANY (:if_match::TEXT[]))
      ) THEN 'version-mismatch'::VARCHAR
    END AS conflict,
    labels.name <> coalesce(:new_name::VARCHAR, labels.name) AS differs
  FROM labels
  JOIN owner
    ON labels.user_id = owner.id
  WHERE
    labels.id = :target_id::UUID
    FOR UPDATE OF labels
), writable AS (
  SELECT
    current.id,
    current.user_id,
    current.name,
    current.folded_name,
    current.created_at,
    current.updated_at,
    current.version,
    current.now,
    current.conflict,
    current.differs
  FROM current
  WHERE
    current.differs AND current.conflict IS NULL
), affected_tasks AS (
  SELECT
    tasks.id,
    row_number() OVER (
      ORDER BY coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) DESC, tasks.id DESC
    ) AS number
  FROM tasks
  JOIN writable
    ON tasks.user_id = writable.user_id
  WHERE
    tasks.id IN (
      SELECT
        task_labels.task_id
      FROM task_labels
      WHERE
        task_labels.user_id = writable.user_id AND task_labels.label_id = writable.id
    )
), counter_bump AS (
  UPDATE owners SET
    counter = (
      owners.counter + 1::INT + (
        SELECT
          count(*) AS count_1
        FROM affected_tasks
      )
    )
  FROM writable
  WHERE
    owners.id = writable.user_id
  RETURNING
    owners.id,
    owners.counter,
    writable.now
), updated_tasks AS (
  UPDATE tasks SET
    updated_at = counter_bump.now,
    version = (counter_bump.counter - affected_tasks.number)
  FROM affected_tasks, counter_bump
  WHERE
    tasks.id = affected_tasks.id AND tasks.user_id = counter_bump.id
), updated AS (
  UPDATE labels SET
    name = :new_name::VARCHAR,
    folded_name = :new_folded_name::VARCHAR,
    updated_at = counter_bump.now,
    version = counter_bump.counter
  FROM counter_bump
  WHERE
    labels.id = :target_id::UUID AND labels.user_id = counter_bump.id
  RETURNING
    labels.id,
    labels.user_id,
    labels.name,
    labels.version,
    to_char(timezone('UTC', labels.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
    to_char(timezone('UTC', labels.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at,
    NULL AS conflict
)
SELECT
  updated.id,
  updated.user_id,
  updated.name,
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
