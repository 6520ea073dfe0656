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
), matched AS MATERIALIZED (
  SELECT
    tasks.id,
    coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS sort_position
  FROM tasks
  JOIN owner
    ON tasks.user_id = owner.id
  WHERE
    owner.is_current AND tasks.id = ANY (:ids::UUID[])
), verdict AS (
  SELECT
    owner.id AS user_id,
    owner.counter,
    owner.now,
    CASE
      WHEN NOT owner.is_current THEN 'stale'::VARCHAR
      WHEN (NOT (:if_match::TEXT[] IS NULL OR CAST(owner.counter AS TEXT) = ANY (:if_match::TEXT[]))) THEN 'version-mismatch'::VARCHAR
    END AS conflict
  FROM owner
), deletable AS (
  SELECT
    matched.id,
    row_number() OVER (ORDER BY matched.sort_position DESC, matched.id DESC) - 1::INT AS number
  FROM matched
  JOIN verdict
    ON verdict.conflict IS NULL
), links AS (
  SELECT
    tasks.id,
    coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS sort_position,
    'parent_id' AS column_name
  FROM tasks
  WHERE
    tasks.user_id = :current_user_id::UUID
    AND tasks.parent_id IS NOT NULL
    AND (
      tasks.parent_id IN (
        SELECT
          deletable.id
        FROM deletable
      )
    ) IS TRUE
  UNION ALL
  SELECT
    tasks.id,
    coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS sort_position,
    'previous_id' AS column_name
  FROM tasks
  WHERE
    tasks.user_id = :current_user_id::UUID
    AND tasks.previous_id IS NOT NULL
    AND (
      tasks.previous_id IN (
        SELECT
          deletable.id
        FROM deletable
      )
    ) IS TRUE
), linked_tasks AS (
  SELECT
    links.id,
    bool_or(links.column_name = 'parent_id'::VARCHAR) AS loses_parent,
    bool_or(links.column_name = 'previous_id'::VARCHAR) AS loses_previous,
    row_number() OVER (ORDER BY links.sort_position DESC, links.id DESC) + (
      (
        SELECT
          count(*) AS count_1
        FROM deletable
      ) - 1::INT
    ) AS number
  FROM links
  WHERE
    NOT (
      links.id IN (
        SELECT
          deletable.id
        FROM deletable
      )
    ) IS TRUE
  GROUP BY
    links.id,
    links.sort_position
), deletion AS (
  SELECT
    verdict.user_id,
    verdict.counter,
    verdict.now,
    verdict.conflict
  FROM verdict
  WHERE
    verdict.conflict IS NULL
    AND (
      SELECT
        count(*) AS count_1
      FROM deletable
    ) > 0::INT
), oldest AS (
  SELECT
    task_tombstones.user_id,
    task_tombstones.id
  FROM task_tombstones
  WHERE
    task_tombstones.user_id = (
      SELECT
        deletion.user_id
      FROM deletion
    )
  ORDER BY
    task_tombstones.version
  LIMIT 2::INT + (
    SELECT
      count(*) AS count_1
    FROM deletable
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
      owners.counter + (
        SELECT
          count(*) AS count_1
        FROM deletable
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
        FROM deletable
      )
    ),
    pruned_version = greatest(owners.pruned_version, (
      SELECT
        max(pruned.version) AS max_1
      FROM pruned
    ))
  FROM verdict
  WHERE
    owners.id = verdict.user_id
    AND (
      SELECT
        count(*) AS count_1
      FROM deletable
    ) > 0::INT
  RETURNING
    owners.id,
    owners.counter,
    verdict.now
), deleted AS (
  DELETE FROM tasks USING   counter_bump
  WHERE
    tasks.user_id = counter_bump.id
    AND (
      tasks.id IN (
        SELECT
          deletable.id
        FROM deletable
      )
    ) IS TRUE
    AND tasks.id = ANY (:ids::UUID[])
), linked_tasks_by_id AS MATERIALIZED (
  SELECT
    array_agg(by_id.id) AS ids,
    array_agg(by_id.number) AS numbers
  FROM (
    SELECT
      linked_tasks.id,
      linked_tasks.loses_parent,
      linked_tasks.loses_previous,
      linked_tasks.number
    FROM linked_tasks
    ORDER BY
      linked_tasks.id
  ) AS by_id
), unlinked_tasks AS (
  UPDATE tasks SET
    updated_at = counter_bump.now,
    version = (
      counter_bump.counter - linked_tasks_by_id.numbers[width_bucket(tasks.id, linked_tasks_by_id.ids)]
    ),
    previous_id = CASE
      WHEN (
        (
          tasks.previous_id IN (
            SELECT
              deletable.id
            FROM deletable
          )
        ) IS TRUE
      ) THEN NULL
      ELSE tasks.previous_id
    END,
    parent_id = CASE
      WHEN (
        (
          tasks.parent_id IN (
            SELECT
              deletable.id
            FROM deletable
          )
        ) IS TRUE
      ) THEN NULL
      ELSE tasks.parent_id
    END
  FROM counter_bump, linked_tasks_by_id
  WHERE
    tasks.user_id = counter_bump.id
    AND (
      tasks.id IN (
        SELECT
          linked_tasks.id
        FROM linked_tasks
      )
    ) IS TRUE
    AND linked_tasks_by_id.ids IS NOT NULL
    AND (tasks.parent_id IS NOT NULL OR tasks.previous_id IS NOT NULL)
), tombstones AS (
  INSERT INTO task_tombstones (
    id,
    user_id,
    kind,
    version,
    deleted_at
  )
  SELECT
    deletable.id,
    counter_bump.id AS id_1,
    'task'::VARCHAR AS anon_1,
    counter_bump.counter - deletable.number AS anon_2,
    counter_bump.now
  FROM deletable
  JOIN counter_bump
    ON TRUE
  ON CONFLICT (user_id, id) DO UPDATE SET
    kind = excluded.kind,
    version = excluded.version,
    deleted_at = excluded.deleted_at
)
SELECT
  verdict.conflict,
  (
    SELECT
      count(*) AS count_3
    FROM matched
  ) AS matched,
  (
    SELECT
      count(*) AS count_4
    FROM matched
  ) AS affected,
  coalesce((
    SELECT
      counter_bump.counter
    FROM counter_bump
  ), verdict.counter) AS version
FROM verdict;
