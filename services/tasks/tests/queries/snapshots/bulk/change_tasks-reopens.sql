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
    coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS sort_position,
    tasks.parent_id,
    tasks.previous_id,
    tasks.list_id,
    tasks.is_completed,
    tasks.recurrence_rule,
    (
      tasks.is_completed,
      tasks.list_id,
      tasks.due_date,
      tasks.due_time,
      tasks.due_at,
      tasks.due_time_zone,
      tasks.priority
    ) IS DISTINCT FROM (
      coalesce(:new_is_completed, tasks.is_completed),
      CASE WHEN :sets_list_id THEN :new_list_id::UUID ELSE tasks.list_id END,
      CASE WHEN :sets_due THEN :new_due_date::DATE ELSE tasks.due_date END,
      CASE WHEN :sets_due THEN :new_due_time::TIME ELSE tasks.due_time END,
      CASE WHEN :sets_due THEN :new_due_at::TIMESTAMPTZ ELSE tasks.due_at END,
      CASE WHEN :sets_due THEN :new_due_time_zone::VARCHAR ELSE tasks.due_time_zone END,
      coalesce(:new_priority::SMALLINT, tasks.priority)
    ) AS differs
  FROM tasks
  JOIN owner
    ON tasks.user_id = owner.id
  WHERE
    owner.is_current AND tasks.id = ANY (:ids::UUID[])
), reopened_tasks AS (
  SELECT
    matched.id,
    matched.previous_id
  FROM matched
  WHERE
    matched.is_completed
), found_successors AS (
  SELECT
    successors_of_all.id,
    successors_of_all.version,
    successors_of_all.made_version,
    successors_of_all.made_subtask_count,
    successors_of_all.previous_id
  FROM (
    SELECT DISTINCT ON (successor.previous_id)
      successor.id,
      successor.version,
      successor.made_version,
      successor.made_subtask_count,
      successor.previous_id
    FROM tasks AS successor
    WHERE
      successor.user_id = :current_user_id::UUID
      AND successor.previous_id IS NOT NULL
      AND (
        successor.previous_id IN (
          SELECT
            reopened_tasks.id
          FROM reopened_tasks
        )
      ) IS TRUE
      AND (
        successor.made_subtask_count IS NOT NULL
        OR successor.made_version IS NULL
        AND successor.parent_id IS NULL
      )
    ORDER BY
      successor.previous_id,
      successor.made_subtask_count IS NULL,
      successor.id
  ) AS successors_of_all
  WHERE
    (
      NOT (successors_of_all.id, successors_of_all.previous_id) IN (
        SELECT
          reopened_tasks.previous_id,
          reopened_tasks.id
        FROM reopened_tasks
        WHERE
          reopened_tasks.previous_id IS NOT NULL
      )
    )
), candidates_to_take_back AS (
  SELECT
    found_successors.id,
    found_successors.id AS successor_id,
    found_successors.version,
    found_successors.made_version,
    found_successors.made_subtask_count,
    0::INT AS subtask_count
  FROM found_successors
  UNION ALL
  SELECT
    tasks.id,
    tasks.parent_id AS successor_id,
    tasks.version,
    tasks.made_version,
    NULL::SMALLINT AS made_subtask_count,
    1::INT AS subtask_count
  FROM tasks
  WHERE
    tasks.user_id = :current_user_id::UUID
    AND tasks.parent_id IS NOT NULL
    AND (
      tasks.parent_id IN (
        SELECT
          found_successors.id
        FROM found_successors
      )
    ) IS TRUE
), untouched_successors AS (
  SELECT
    candidates_to_take_back.successor_id AS id
  FROM candidates_to_take_back
  GROUP BY
    candidates_to_take_back.successor_id
  HAVING
    bool_and(coalesce(candidates_to_take_back.version = candidates_to_take_back.made_version, FALSE))
    AND max(candidates_to_take_back.made_subtask_count) = sum(candidates_to_take_back.subtask_count)
), taken_back AS (
  SELECT
    candidates_to_take_back.id,
    row_number() OVER (ORDER BY candidates_to_take_back.version DESC) - 1::INT AS number
  FROM candidates_to_take_back
  WHERE
    (
      candidates_to_take_back.successor_id IN (
        SELECT
          untouched_successors.id
        FROM untouched_successors
      )
    ) IS TRUE
), kept AS (
  SELECT
    matched.id,
    matched.sort_position,
    matched.parent_id,
    matched.previous_id,
    matched.list_id,
    matched.is_completed,
    matched.recurrence_rule,
    matched.differs
  FROM matched
  WHERE
    NOT (
      matched.id IN (
        SELECT
          taken_back.id
        FROM taken_back
      )
    ) IS TRUE
), changed AS (
  SELECT
    kept.id,
    kept.sort_position,
    kept.parent_id,
    kept.previous_id,
    kept.list_id,
    kept.is_completed,
    kept.recurrence_rule,
    kept.differs,
    row_number() OVER (ORDER BY kept.sort_position DESC, kept.id DESC) - 1::INT AS number
  FROM kept
  WHERE
    kept.differs
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
          taken_back.id
        FROM taken_back
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
          taken_back.id
        FROM taken_back
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
          count(*) AS count_2
        FROM taken_back
      ) - 1::INT
    ) AS number
  FROM links
  WHERE
    NOT (
      links.id IN (
        SELECT
          taken_back.id
        FROM taken_back
      )
    ) IS TRUE
  GROUP BY
    links.id,
    links.sort_position
), verdict AS (
  SELECT
    owner.id AS user_id,
    owner.counter,
    owner.now,
    CASE
      WHEN NOT owner.is_current THEN 'stale'::VARCHAR
      WHEN (
        :sets_due
        AND :new_due_date::DATE IS NULL
        AND (
          EXISTS(
            SELECT
              kept.id
            FROM kept
            WHERE
              kept.recurrence_rule IS NOT NULL
          )
        )
      ) THEN 'recurrence-without-due'::VARCHAR
      WHEN (NOT (:if_match::TEXT[] IS NULL OR CAST(owner.counter AS TEXT) = ANY (:if_match::TEXT[]))) THEN 'version-mismatch'::VARCHAR
      WHEN (
        EXISTS(
          SELECT
            kept.id
          FROM kept
          WHERE
            :new_is_completed AND NOT kept.is_completed AND kept.recurrence_rule IS NOT NULL
        )
      ) THEN 'recurs'::VARCHAR
    END AS conflict
  FROM owner
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
        count(*) AS count_2
      FROM taken_back
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
      count(*) AS count_2
    FROM taken_back
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
        FROM changed
      ) + (
        SELECT
          count(*) AS count_2
        FROM taken_back
      ) + (
        SELECT
          count(*) AS count_3
        FROM linked_tasks
      )
    ),
    task_count = (
      owners.task_count - (
        SELECT
          count(*) AS count_2
        FROM taken_back
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
    AND verdict.conflict IS NULL
    AND (
      SELECT
        count(*) AS count_1
      FROM changed
    ) > 0::INT
  RETURNING
    owners.id,
    owners.counter,
    verdict.now
), deleted_tasks AS (
  DELETE FROM tasks USING   counter_bump
  WHERE
    tasks.user_id = counter_bump.id
    AND (
      tasks.id IN (
        SELECT
          taken_back.id
        FROM taken_back
      )
    ) IS TRUE
    AND (tasks.parent_id IS NOT NULL OR tasks.previous_id IS NOT NULL)
), tasks_to_unlink AS (
  SELECT
    linked_tasks.id,
    linked_tasks.loses_parent,
    linked_tasks.loses_previous,
    linked_tasks.number
  FROM linked_tasks
  WHERE
    NOT (
      linked_tasks.id IN (
        SELECT
          changed.id
        FROM changed
      )
    ) IS TRUE
), tasks_to_unlink_by_id AS MATERIALIZED (
  SELECT
    array_agg(by_id.id) AS ids,
    array_agg(by_id.number) AS numbers
  FROM (
    SELECT
      tasks_to_unlink.id,
      tasks_to_unlink.loses_parent,
      tasks_to_unlink.loses_previous,
      tasks_to_unlink.number
    FROM tasks_to_unlink
    ORDER BY
      tasks_to_unlink.id
  ) AS by_id
), unlinked_tasks AS (
  UPDATE tasks SET
    updated_at = counter_bump.now,
    version = (
      counter_bump.counter - tasks_to_unlink_by_id.numbers[width_bucket(tasks.id, tasks_to_unlink_by_id.ids)]
    ),
    previous_id = CASE
      WHEN (
        (
          tasks.previous_id IN (
            SELECT
              taken_back.id
            FROM taken_back
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
              taken_back.id
            FROM taken_back
          )
        ) IS TRUE
      ) THEN NULL
      ELSE tasks.parent_id
    END
  FROM counter_bump, tasks_to_unlink_by_id
  WHERE
    tasks.user_id = counter_bump.id
    AND (
      tasks.id IN (
        SELECT
          tasks_to_unlink.id
        FROM tasks_to_unlink
      )
    ) IS TRUE
    AND tasks_to_unlink_by_id.ids IS NOT NULL
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
    taken_back.id,
    counter_bump.id AS user_id,
    'task'::VARCHAR AS anon_1,
    counter_bump.counter - taken_back.number AS anon_2,
    counter_bump.now
  FROM taken_back
  JOIN counter_bump
    ON TRUE
  ON CONFLICT (user_id, id) DO UPDATE SET
    kind = excluded.kind,
    version = excluded.version,
    deleted_at = excluded.deleted_at
), written AS (
  SELECT
    counter_bump.id,
    counter_bump.counter - (
      (
        SELECT
          count(*) AS count_2
        FROM taken_back
      ) + (
        SELECT
          count(*) AS count_3
        FROM linked_tasks
      )
    ) AS counter,
    counter_bump.now
  FROM counter_bump
), changed_by_id AS MATERIALIZED (
  SELECT
    array_agg(by_id.id) AS ids,
    array_agg(by_id.number) AS numbers
  FROM (
    SELECT
      changed.id,
      changed.sort_position,
      changed.parent_id,
      changed.previous_id,
      changed.list_id,
      changed.is_completed,
      changed.recurrence_rule,
      changed.differs,
      changed.number
    FROM changed
    ORDER BY
      changed.id
  ) AS by_id
), updated AS (
  UPDATE tasks SET
    is_completed = coalesce(:new_is_completed, tasks.is_completed),
    completed_at = CASE
      WHEN coalesce(:new_is_completed, tasks.is_completed) THEN coalesce(tasks.completed_at, written.now)
    END,
    updated_at = written.now,
    version = (written.counter - changed_by_id.numbers[width_bucket(tasks.id, changed_by_id.ids)]),
    list_id = CASE WHEN :sets_list_id THEN :new_list_id::UUID ELSE tasks.list_id END,
    due_date = CASE WHEN :sets_due THEN :new_due_date::DATE ELSE tasks.due_date END,
    due_time = CASE WHEN :sets_due THEN :new_due_time::TIME ELSE tasks.due_time END,
    due_at = CASE WHEN :sets_due THEN :new_due_at::TIMESTAMPTZ ELSE tasks.due_at END,
    due_time_zone = CASE WHEN :sets_due THEN :new_due_time_zone::VARCHAR ELSE tasks.due_time_zone END,
    priority = coalesce(:new_priority::SMALLINT, tasks.priority),
    previous_id = CASE
      WHEN (
        (
          tasks.previous_id IN (
            SELECT
              taken_back.id
            FROM taken_back
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
              taken_back.id
            FROM taken_back
          )
        ) IS TRUE
      ) THEN NULL
      ELSE tasks.parent_id
    END
  FROM written, changed_by_id
  WHERE
    tasks.user_id = written.id
    AND (
      tasks.id IN (
        SELECT
          changed.id
        FROM changed
      )
    ) IS TRUE
    AND changed_by_id.ids IS NOT NULL
    AND tasks.id = ANY (:ids::UUID[])
)
SELECT
  verdict.conflict,
  (
    SELECT
      count(*) AS count_4
    FROM matched
  ) AS matched,
  (
    SELECT
      count(*) AS count_5
    FROM changed
  ) AS affected,
  coalesce((
    SELECT
      counter_bump.counter
    FROM counter_bump
  ), verdict.counter) AS version
FROM verdict;
