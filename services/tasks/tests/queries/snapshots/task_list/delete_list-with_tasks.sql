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
        NOT (:if_match::TEXT[] IS NULL OR CAST(task_lists.version AS TEXT) = ANY (:if_match::TEXT[]))
      ) THEN 'version-mismatch'::VARCHAR
    END AS conflict
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
    current.conflict
  FROM current
  WHERE
    current.conflict IS NULL
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
    tasks.list_id = writable.id
), links AS (
  SELECT
    tasks.id,
    coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS sort_position,
    'parent_id' AS column_name
  FROM tasks
  JOIN affected_tasks
    ON tasks.parent_id = affected_tasks.id
  WHERE
    tasks.user_id = :current_user_id::UUID AND tasks.parent_id IS NOT NULL
  UNION ALL
  SELECT
    tasks.id,
    coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS sort_position,
    'previous_id' AS column_name
  FROM tasks
  JOIN affected_tasks
    ON tasks.previous_id = affected_tasks.id
  WHERE
    tasks.user_id = :current_user_id::UUID AND tasks.previous_id IS NOT NULL
), linked_tasks AS (
  SELECT
    links.id,
    bool_or(links.column_name = 'parent_id'::VARCHAR) AS loses_parent,
    bool_or(links.column_name = 'previous_id'::VARCHAR) AS loses_previous,
    row_number() OVER (ORDER BY links.sort_position DESC, links.id DESC) + (
      SELECT
        count(*) AS count_1
      FROM affected_tasks
    ) AS number
  FROM links
  WHERE
    NOT (
      EXISTS(
        SELECT
          affected_tasks.id
        FROM affected_tasks
        WHERE
          affected_tasks.id = links.id
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
        writable.user_id
      FROM writable
    )
  ORDER BY
    task_tombstones.version
  LIMIT 2::INT + (
    SELECT
      count(*) AS count_1
    FROM affected_tasks
  )
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
        FROM affected_tasks
      ) + (
        SELECT
          count(*) AS count_2
        FROM linked_tasks
      )
    ),
    task_count = (
      owners.task_count - (
        SELECT
          count(*) AS count_1
        FROM affected_tasks
      )
    ),
    list_count = (owners.list_count - 1::INT),
    pruned_version = greatest(owners.pruned_version, (
      SELECT
        max(pruned.version) AS max_1
      FROM pruned
    ))
  FROM writable
  WHERE
    owners.id = writable.user_id
  RETURNING
    owners.id,
    owners.counter,
    writable.now
), deleted AS (
  DELETE FROM task_lists USING   writable, counter_bump
  WHERE
    task_lists.id = writable.id AND task_lists.user_id = counter_bump.id
), deleted_tasks AS (
  DELETE FROM tasks USING   affected_tasks, counter_bump
  WHERE
    tasks.id = affected_tasks.id AND tasks.user_id = counter_bump.id
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
    writable.id,
    counter_bump.id AS user_id,
    'list'::VARCHAR AS anon_1,
    counter_bump.counter,
    counter_bump.now
  FROM writable
  JOIN counter_bump
    ON TRUE
  UNION ALL
  SELECT
    affected_tasks.id,
    counter_bump.id AS user_id,
    'task'::VARCHAR AS anon_2,
    counter_bump.counter - affected_tasks.number AS anon_3,
    counter_bump.now
  FROM affected_tasks
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
