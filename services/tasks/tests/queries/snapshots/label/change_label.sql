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
), written AS (
  SELECT
    before.id,
    before.user_id,
    before.name,
    before.folded_name,
    before.created_at,
    before.updated_at,
    before.version,
    before.now,
    before.conflict,
    before.differs
  FROM before
  WHERE
    before.differs AND before.conflict IS NULL
), touched AS (
  SELECT
    tasks.id,
    row_number() OVER (
      ORDER BY coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) DESC, tasks.id DESC
    ) AS number
  FROM tasks
  JOIN written
    ON tasks.user_id = written.user_id
  WHERE
    tasks.id IN (
      SELECT
        task_labels.task_id
      FROM task_labels
      WHERE
        task_labels.user_id = written.user_id AND task_labels.label_id = written.id
    )
), raised AS (
  UPDATE owners SET
    counter = (
      owners.counter + 1::INT + (
        SELECT
          count(*) AS count_1
        FROM touched
      )
    )
  FROM written
  WHERE
    owners.id = written.user_id
  RETURNING
    owners.id,
    owners.counter,
    written.now
), touched_tasks AS (
  UPDATE tasks SET
    updated_at = raised.now,
    version = (raised.counter - touched.number)
  FROM touched, raised
  WHERE
    tasks.id = touched.id AND tasks.user_id = raised.id
), changed AS (
  UPDATE labels SET
    name = :new_name::VARCHAR,
    folded_name = :new_folded_name::VARCHAR,
    updated_at = raised.now,
    version = raised.counter
  FROM raised
  WHERE
    labels.id = :target_id::UUID AND labels.user_id = raised.id
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
  changed.id,
  changed.user_id,
  changed.name,
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
