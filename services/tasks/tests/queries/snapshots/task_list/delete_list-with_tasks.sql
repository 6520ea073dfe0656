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
        NOT (:if_match::TEXT[] IS NULL OR CAST(task_lists.version AS TEXT) = ANY (:if_match::TEXT[]))
      ) THEN 'version-mismatch'::VARCHAR
    END AS conflict
  FROM task_lists
  JOIN owner
    ON task_lists.user_id = owner.id
  WHERE
    task_lists.id = :target_id::UUID
    FOR UPDATE OF task_lists
), allowed AS (
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
    tasks.list_id = allowed.id
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
  LIMIT 2::INT + (
    SELECT
      count(*) AS count_1
    FROM touched
  )
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
    task_count = (
      owners.task_count - (
        SELECT
          count(*) AS count_1
        FROM touched
      )
    ),
    list_count = (owners.list_count - 1::INT),
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
  DELETE FROM task_lists USING   allowed, raised
  WHERE
    task_lists.id = allowed.id AND task_lists.user_id = raised.id
), done AS (
  DELETE FROM tasks USING   touched, raised
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
    raised.id AS user_id,
    'list'::VARCHAR AS anon_1,
    raised.counter,
    raised.now
  FROM allowed
  JOIN raised
    ON TRUE
  UNION ALL
  SELECT
    touched.id,
    raised.id AS id_1,
    'task'::VARCHAR AS anon_2,
    raised.counter - touched.number AS anon_3,
    raised.now
  FROM touched
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
