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
        NOT (:if_match::TEXT[] IS NULL OR CAST(labels.version AS TEXT) = ANY (:if_match::TEXT[]))
      ) THEN 'version-mismatch'::VARCHAR
    END AS conflict
  FROM labels
  JOIN owner
    ON labels.user_id = owner.id
  WHERE
    labels.id = :target_id::UUID
    FOR UPDATE OF labels
), allowed AS (
  SELECT
    before.id,
    before.user_id,
    before.name,
    before.folded_name,
    before.created_at,
    before.updated_at,
    before.version,
    before.now,
    before.conflict
  FROM before
  WHERE
    before.conflict IS NULL
), touched AS (
  SELECT
    tasks.id,
    row_number() OVER (
      ORDER BY coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) DESC, tasks.id DESC
    ) AS number
  FROM tasks
  JOIN allowed
    ON tasks.user_id = allowed.user_id
  WHERE
    tasks.id IN (
      SELECT
        task_labels.task_id
      FROM task_labels
      WHERE
        task_labels.user_id = allowed.user_id AND task_labels.label_id = allowed.id
    )
), oldest AS (
  SELECT
    task_tombstones.user_id,
    task_tombstones.id
  FROM task_tombstones
  WHERE
    task_tombstones.user_id = (
      SELECT
        allowed.user_id
      FROM allowed
    )
  ORDER BY
    task_tombstones.version
  LIMIT 2::INT
), pruned AS (
  DELETE FROM task_tombstones USING   oldest
  WHERE
    task_tombstones.user_id = oldest.user_id
    AND task_tombstones.id = oldest.id
    AND task_tombstones.deleted_at <= clock_timestamp() - :retention
  RETURNING
    task_tombstones.version
), raised AS (
  UPDATE owners SET
    counter = (
      owners.counter + 1::INT + (
        SELECT
          count(*) AS count_1
        FROM touched
      )
    ),
    label_count = (owners.label_count - 1::INT),
    pruned_version = greatest(owners.pruned_version, (
      SELECT
        max(pruned.version) AS max_1
      FROM pruned
    ))
  FROM allowed
  WHERE
    owners.id = allowed.user_id
  RETURNING
    owners.id,
    owners.counter,
    allowed.now
), gone AS (
  DELETE FROM labels USING   allowed, raised
  WHERE
    labels.id = allowed.id AND labels.user_id = raised.id
), touched_tasks AS (
  UPDATE tasks SET
    updated_at = raised.now,
    version = (raised.counter - touched.number)
  FROM touched, raised
  WHERE
    tasks.id = touched.id AND tasks.user_id = raised.id
), "left" AS (
  INSERT INTO task_tombstones (
    id,
    user_id,
    kind,
    version,
    deleted_at
  )
  SELECT
    allowed.id,
    raised.id AS id_1,
    'label'::VARCHAR AS anon_1,
    raised.counter,
    raised.now
  FROM allowed
  JOIN raised
    ON TRUE
  ON CONFLICT (user_id, id) DO UPDATE SET
    kind = excluded.kind,
    version = excluded.version,
    deleted_at = excluded.deleted_at
)
SELECT
  before.conflict
FROM before;
