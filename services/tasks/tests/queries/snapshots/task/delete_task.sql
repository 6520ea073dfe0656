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
    tasks.id,
    tasks.user_id,
    owner.now,
    CASE
      WHEN NOT owner.is_current THEN 'stale'::VARCHAR
      WHEN (NOT (:if_match::TEXT[] IS NULL OR CAST(tasks.version AS TEXT) = ANY (:if_match::TEXT[]))) THEN 'version-mismatch'::VARCHAR
    END AS conflict
  FROM tasks
  JOIN owner
    ON tasks.user_id = owner.id
  WHERE
    tasks.id = :target_id::UUID
    FOR UPDATE OF tasks
), deleted AS (
  DELETE FROM tasks USING   current
  WHERE
    tasks.id = current.id AND tasks.user_id = current.user_id AND current.conflict IS NULL
  RETURNING
    tasks.id,
    tasks.user_id,
    current.now
), links AS (
  SELECT
    tasks.id,
    coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS sort_position,
    'parent_id' AS column_name
  FROM tasks
  JOIN deleted
    ON tasks.parent_id = deleted.id
  WHERE
    tasks.user_id = :current_user_id::UUID AND tasks.parent_id IS NOT NULL
  UNION ALL
  SELECT
    tasks.id,
    coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS sort_position,
    'previous_id' AS column_name
  FROM tasks
  JOIN deleted
    ON tasks.previous_id = deleted.id
  WHERE
    tasks.user_id = :current_user_id::UUID AND tasks.previous_id IS NOT NULL
), linked_tasks AS (
  SELECT
    links.id,
    bool_or(links.column_name = 'parent_id'::VARCHAR) AS loses_parent,
    bool_or(links.column_name = 'previous_id'::VARCHAR) AS loses_previous,
    row_number() OVER (ORDER BY links.sort_position DESC, links.id DESC) + 0::INT AS number
  FROM links
  WHERE
    NOT (
      EXISTS(
        SELECT
          deleted.id
        FROM deleted
        WHERE
          deleted.id = links.id
      )
    )
  GROUP BY
    links.id,
    links.sort_position
), oldest AS (
  SELECT
    task_tombstones.user_id,
    task_tombstones.id
  FROM task_tombstones
  WHERE
    task_tombstones.user_id = (
      SELECT
        deleted.user_id
      FROM deleted
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
), counter_bump AS (
  UPDATE owners SET
    counter = (
      owners.counter + 1::INT + (
        SELECT
          count(*) AS count_1
        FROM linked_tasks
      )
    ),
    task_count = (owners.task_count - 1::INT),
    pruned_version = greatest(owners.pruned_version, (
      SELECT
        max(pruned.version) AS max_1
      FROM pruned
    ))
  FROM deleted
  WHERE
    owners.id = deleted.user_id
  RETURNING
    owners.id,
    owners.counter,
    deleted.now
), unlinked_tasks AS (
  UPDATE tasks SET
    updated_at = counter_bump.now,
    version = (counter_bump.counter - linked_tasks.number),
    previous_id = CASE WHEN linked_tasks.loses_previous THEN NULL ELSE tasks.previous_id END,
    parent_id = CASE WHEN linked_tasks.loses_parent THEN NULL ELSE tasks.parent_id END
  FROM linked_tasks, counter_bump
  WHERE
    tasks.id = linked_tasks.id AND tasks.user_id = counter_bump.id
), tombstones AS (
  INSERT INTO task_tombstones (
    id,
    user_id,
    kind,
    version,
    deleted_at
  )
  SELECT
    deleted.id,
    counter_bump.id AS user_id,
    'task'::VARCHAR AS anon_1,
    counter_bump.counter,
    counter_bump.now
  FROM deleted
  JOIN counter_bump
    ON TRUE
  ON CONFLICT (user_id, id) DO UPDATE SET
    kind = excluded.kind,
    version = excluded.version,
    deleted_at = excluded.deleted_at
)
SELECT
  current.conflict
FROM current;
