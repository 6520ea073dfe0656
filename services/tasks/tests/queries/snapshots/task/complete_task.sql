WITH locked AS MATERIALIZED (
  SELECT
    owners.id,
    owners.counter,
    owners.task_count,
    owners.list_count,
    owners.label_count,
    owners.pruned_version,
    owners.created_at
  FROM owners
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
    clock_timestamp() AS now
  FROM locked
), target_list AS (
  SELECT
    task_lists.id
  FROM task_lists
  JOIN owner
    ON task_lists.user_id = owner.id
  WHERE
    task_lists.id = :new_list_id::UUID
    FOR KEY SHARE OF task_lists
), locked_task AS (
  SELECT
    tasks.id,
    tasks.user_id,
    tasks.title,
    tasks.description,
    tasks.is_completed,
    tasks.status,
    tasks.completed_at,
    tasks.created_at,
    tasks.updated_at,
    tasks.version,
    tasks.list_id,
    tasks.due_date,
    tasks.due_time,
    tasks.due_at,
    tasks.due_time_zone,
    tasks.priority,
    tasks.position,
    tasks.recurrence_rule,
    tasks.recurrence_from,
    tasks.previous_id,
    tasks.parent_id,
    tasks.made_version,
    tasks.made_subtask_count,
    CASE WHEN :sets_list_id THEN :new_list_id::UUID ELSE tasks.list_id END AS new_list_id,
    owner.now,
    (
      tasks.title,
      tasks.description,
      tasks.is_completed,
      tasks.list_id,
      tasks.due_date,
      tasks.due_time,
      tasks.due_at,
      tasks.due_time_zone,
      tasks.priority,
      tasks.recurrence_rule,
      tasks.recurrence_from,
      tasks.parent_id
    ) IS DISTINCT FROM (
      coalesce(:new_title::VARCHAR, tasks.title),
      CASE WHEN :sets_description THEN :new_description::VARCHAR ELSE tasks.description END,
      coalesce(:new_is_completed, tasks.is_completed),
      CASE WHEN :sets_list_id THEN :new_list_id::UUID ELSE tasks.list_id END,
      CASE WHEN :sets_due THEN :new_due_date::DATE ELSE tasks.due_date END,
      CASE WHEN :sets_due THEN :new_due_time::TIME ELSE tasks.due_time END,
      CASE WHEN :sets_due THEN :new_due_at::TIMESTAMPTZ ELSE tasks.due_at END,
      CASE WHEN :sets_due THEN :new_due_time_zone::VARCHAR ELSE tasks.due_time_zone END,
      coalesce(:new_priority::SMALLINT, tasks.priority),
      CASE WHEN :sets_recurrence THEN :new_recurrence_rule::VARCHAR ELSE tasks.recurrence_rule END,
      CASE WHEN :sets_recurrence THEN :new_recurrence_from::VARCHAR ELSE tasks.recurrence_from END,
      CASE WHEN :sets_parent_id THEN :new_parent_id::UUID ELSE tasks.parent_id END
    ) AS differs,
    tasks.version <> (
      SELECT
        task_in_snapshot.version
      FROM tasks AS task_in_snapshot
      WHERE
        task_in_snapshot.id = :target_id::UUID
        AND task_in_snapshot.user_id = :current_user_id::UUID
    ) AS may_be_outdated,
    CASE
      WHEN (owner.counter <> :expected_counter::BIGINT OR owner.now >= :day_ends_at::TIMESTAMPTZ) THEN 'stale'::VARCHAR
      WHEN (
        :sets_list_id
        AND :new_list_id::UUID IS NOT NULL
        AND NOT (
          EXISTS(
            SELECT
              target_list.id
            FROM target_list
          )
        )
      ) THEN 'list-not-found'::VARCHAR
      WHEN (
        CASE WHEN :sets_parent_id THEN :new_parent_id::UUID ELSE tasks.parent_id END IS NOT NULL
        AND CASE WHEN :sets_recurrence THEN :new_recurrence_rule::VARCHAR ELSE tasks.recurrence_rule END IS NOT NULL
      ) THEN 'contradiction'::VARCHAR
      WHEN (
        CASE WHEN :sets_recurrence THEN :new_recurrence_rule::VARCHAR ELSE tasks.recurrence_rule END IS NOT NULL
        AND CASE WHEN :sets_due THEN :new_due_date::DATE ELSE tasks.due_date END IS NULL
      ) THEN 'recurrence-without-due'::VARCHAR
      WHEN (NOT (:if_match::TEXT[] IS NULL OR CAST(tasks.version AS TEXT) = ANY (:if_match::TEXT[]))) THEN 'version-mismatch'::VARCHAR
    END AS conflict
  FROM tasks
  JOIN owner
    ON tasks.user_id = owner.id
  WHERE
    tasks.id = :target_id::UUID
    FOR UPDATE OF tasks
), current AS (
  SELECT
    locked_task.id,
    locked_task.user_id,
    locked_task.title,
    locked_task.description,
    locked_task.is_completed,
    locked_task.status,
    locked_task.completed_at,
    locked_task.created_at,
    locked_task.updated_at,
    locked_task.version,
    locked_task.list_id,
    locked_task.due_date,
    locked_task.due_time,
    locked_task.due_at,
    locked_task.due_time_zone,
    locked_task.priority,
    locked_task.position,
    locked_task.recurrence_rule,
    locked_task.recurrence_from,
    locked_task.previous_id,
    locked_task.parent_id,
    locked_task.made_version,
    locked_task.made_subtask_count,
    locked_task.new_list_id,
    locked_task.now,
    locked_task.differs,
    locked_task.may_be_outdated,
    locked_task.conflict,
    locked_task.differs AND locked_task.conflict IS NULL AS is_written
  FROM locked_task
), sources_and_arriving AS (
  SELECT
    tasks.id,
    (
      SELECT
        current.new_list_id
      FROM current
    ) AS list_id,
    coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS sort_position,
    TRUE AS is_source
  FROM tasks
  WHERE
    tasks.user_id = :current_user_id::UUID
    AND tasks.id = ANY (array_append(:subtask_ids::UUID[], :target_id::UUID))
), numbered_sources AS (
  SELECT
    sources_and_arriving.id,
    sources_and_arriving.list_id,
    sources_and_arriving.sort_position,
    sources_and_arriving.is_source,
    row_number() OVER (
      PARTITION BY sources_and_arriving.list_id, sources_and_arriving.sort_position, sources_and_arriving.is_source
      ORDER BY sources_and_arriving.id
    ) AS number,
    count(*) OVER (
      PARTITION BY sources_and_arriving.list_id, sources_and_arriving.sort_position, sources_and_arriving.is_source
    ) AS total,
    min(sources_and_arriving.sort_position) OVER (
      PARTITION BY sources_and_arriving.list_id
      ORDER BY sources_and_arriving.sort_position
      GROUPS BETWEEN 1::INT FOLLOWING AND 1::INT FOLLOWING
    ) AS next_position
  FROM sources_and_arriving
), gaps AS MATERIALIZED (
  SELECT
    numbered_sources.id,
    numbered_sources.list_id,
    numbered_sources.sort_position,
    numbered_sources.is_source,
    numbered_sources.number,
    numbered_sources.total,
    numbered_sources.next_position,
    least(
      numbered_sources.next_position,
      (
        SELECT
          coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS coalesce_1
        FROM tasks
        WHERE
          tasks.user_id = :current_user_id::UUID
          AND tasks.list_id = numbered_sources.list_id
          AND coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) > numbered_sources.sort_position
          AND numbered_sources.list_id IS NOT NULL
        ORDER BY
          tasks.list_id,
          coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000),
          tasks.id
        LIMIT 1::INT
      ),
      (
        SELECT
          coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS coalesce_2
        FROM tasks
        WHERE
          tasks.user_id = :current_user_id::UUID
          AND tasks.list_id IS NULL
          AND coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) > numbered_sources.sort_position
          AND numbered_sources.list_id IS NULL
        ORDER BY
          tasks.list_id,
          coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000),
          tasks.id
        LIMIT 1::INT
      )
    ) AS "end"
  FROM numbered_sources
  WHERE
    numbered_sources.is_source
), places AS MATERIALIZED (
  SELECT
    array_agg(by_id.id) AS ids,
    array_agg(by_id.place) AS places
  FROM (
    SELECT
      placed.id,
      CASE
        WHEN (scale(placed."new") > 230::INT OR placed."new" >= '100000000000000000000') THEN placed.former
        ELSE placed."new"
      END AS place
    FROM (
      SELECT
        gaps.id,
        trim_scale(gaps.sort_position) AS former,
        trim_scale(
          gaps.sort_position + least(2, gaps."end" - gaps.sort_position) * CASE WHEN (gaps.total = 1::INT) THEN 0.5 ELSE gaps.number * 0.00006103515625 END
        ) AS "new"
      FROM gaps
    ) AS placed
    ORDER BY
      placed.id
  ) AS by_id
), copies AS (
  SELECT
    tasks.id,
    tasks.user_id,
    tasks.title,
    tasks.description,
    tasks.is_completed,
    tasks.status,
    tasks.completed_at,
    tasks.created_at,
    tasks.updated_at,
    tasks.version,
    tasks.list_id,
    tasks.due_date,
    tasks.due_time,
    tasks.due_at,
    tasks.due_time_zone,
    tasks.priority,
    tasks.position,
    tasks.recurrence_rule,
    tasks.recurrence_from,
    tasks.previous_id,
    tasks.parent_id,
    tasks.made_version,
    tasks.made_subtask_count,
    sent.copy_id,
    sent.copy_due_date,
    sent.copy_due_at,
    row_number() OVER (
      ORDER BY coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000), tasks.id
    ) AS number
  FROM tasks
  JOIN UNNEST(:subtask_ids::UUID[], :copy_ids::UUID[], :copy_due_dates::DATE[], :copy_due_ats::TIMESTAMPTZ[]) AS sent(id, copy_id, copy_due_date, copy_due_at)
    ON tasks.id = sent.id
  JOIN current
    ON tasks.user_id = current.user_id AND tasks.id = sent.id
  WHERE
    NOT (
      EXISTS(
        SELECT
          *
        FROM tasks AS holder
        WHERE
          holder.id = sent.copy_id
      )
    )
    AND NOT (
      (
        EXISTS(
          SELECT
            *
          FROM task_tombstones
          WHERE
            task_tombstones.user_id = :current_user_id::UUID
            AND task_tombstones.id = sent.copy_id
            AND task_tombstones.kind <> 'task'::VARCHAR
        )
      )
      OR (
        EXISTS(
          SELECT
            *
          FROM task_lists
          WHERE
            task_lists.user_id = :current_user_id::UUID AND task_lists.id = sent.copy_id
        )
      )
      OR (
        EXISTS(
          SELECT
            *
          FROM labels
          WHERE
            labels.user_id = :current_user_id::UUID AND labels.id = sent.copy_id
        )
      )
    )
), successor AS (
  SELECT
    CAST(:successor_id::UUID AS UUID) AS id,
    CAST(owner.id AS UUID) AS user_id,
    CAST(coalesce(:new_title::VARCHAR, current.title) AS TEXT) AS title,
    CAST(CASE WHEN :sets_description THEN :new_description::VARCHAR ELSE current.description END AS TEXT) AS description,
    CAST(FALSE AS BOOLEAN) AS is_completed,
    NULL::TIMESTAMPTZ AS completed_at,
    CAST(owner.now AS TIMESTAMPTZ) AS created_at,
    CAST(owner.now AS TIMESTAMPTZ) AS updated_at,
    CAST(owner.counter + 1::INT + 1::BIGINT AS BIGINT) AS version,
    CAST(current.new_list_id AS UUID) AS list_id,
    CAST(:successor_due_date::DATE AS DATE) AS due_date,
    CAST(CASE WHEN :sets_due THEN :new_due_time::TIME ELSE current.due_time END AS TIME) AS due_time,
    CAST(:successor_due_at::TIMESTAMPTZ AS TIMESTAMPTZ) AS due_at,
    CAST(CASE WHEN :sets_due THEN :new_due_time_zone::VARCHAR ELSE current.due_time_zone END AS TEXT) AS due_time_zone,
    CAST(coalesce(:new_priority::SMALLINT, current.priority) AS SMALLINT) AS priority,
    CAST((
      SELECT
        places.places[width_bucket(current.id, places.ids)] AS anon_1
      FROM places
    ) AS DECIMAL) AS position,
    CAST(:successor_rule::VARCHAR AS TEXT) AS recurrence_rule,
    CAST(CASE WHEN :sets_recurrence THEN :new_recurrence_from::VARCHAR ELSE current.recurrence_from END AS TEXT) AS recurrence_from,
    CAST(current.id AS UUID) AS previous_id,
    NULL::UUID AS parent_id,
    CAST(owner.counter + 1::INT + 1::BIGINT AS BIGINT) AS made_version,
    CAST((
      SELECT
        count(*) AS count_1
      FROM copies
    ) AS SMALLINT) AS made_subtask_count
  FROM owner
  JOIN current
    ON TRUE
  WHERE
    current.is_written
    AND owner.task_count + 1::INT + (
      SELECT
        count(*) AS count_2
      FROM copies
    ) <= :quota::INT
    AND NOT (
      EXISTS(
        SELECT
          *
        FROM tasks AS holder
        WHERE
          holder.id = :successor_id::UUID
      )
    )
    AND NOT (
      (
        EXISTS(
          SELECT
            *
          FROM task_tombstones
          WHERE
            task_tombstones.user_id = :current_user_id::UUID
            AND task_tombstones.id = :successor_id::UUID
            AND task_tombstones.kind <> 'task'::VARCHAR
        )
      )
      OR (
        EXISTS(
          SELECT
            *
          FROM task_lists
          WHERE
            task_lists.user_id = :current_user_id::UUID AND task_lists.id = :successor_id::UUID
        )
      )
      OR (
        EXISTS(
          SELECT
            *
          FROM labels
          WHERE
            labels.user_id = :current_user_id::UUID AND labels.id = :successor_id::UUID
        )
      )
    )
), made_successor AS (
  INSERT INTO tasks (
    id,
    user_id,
    title,
    description,
    is_completed,
    completed_at,
    created_at,
    updated_at,
    version,
    list_id,
    due_date,
    due_time,
    due_at,
    due_time_zone,
    priority,
    position,
    recurrence_rule,
    recurrence_from,
    previous_id,
    parent_id,
    made_version,
    made_subtask_count
  )
  SELECT
    successor.id,
    successor.user_id,
    successor.title,
    successor.description,
    successor.is_completed,
    successor.completed_at,
    successor.created_at,
    successor.updated_at,
    successor.version,
    successor.list_id,
    successor.due_date,
    successor.due_time,
    successor.due_at,
    successor.due_time_zone,
    successor.priority,
    successor.position,
    successor.recurrence_rule,
    successor.recurrence_from,
    successor.previous_id,
    successor.parent_id,
    successor.made_version,
    successor.made_subtask_count
  FROM successor
  ON CONFLICT (id) DO NOTHING
  RETURNING
    tasks.id,
    tasks.user_id
), composed_copies AS (
  SELECT
    CAST(copies.copy_id AS UUID) AS id,
    CAST(owner.id AS UUID) AS user_id,
    CAST(copies.title AS TEXT) AS title,
    CAST(copies.description AS TEXT) AS description,
    CAST(FALSE AS BOOLEAN) AS is_completed,
    NULL::TIMESTAMPTZ AS completed_at,
    CAST(owner.now AS TIMESTAMPTZ) AS created_at,
    CAST(owner.now AS TIMESTAMPTZ) AS updated_at,
    CAST(owner.counter + 1::INT + 1::BIGINT + copies.number AS BIGINT) AS version,
    CAST(current.new_list_id AS UUID) AS list_id,
    CAST(copies.copy_due_date AS DATE) AS due_date,
    CAST(CASE WHEN (copies.copy_due_date IS NOT NULL) THEN copies.due_time END AS TIME) AS due_time,
    CAST(copies.copy_due_at AS TIMESTAMPTZ) AS due_at,
    CAST(CASE WHEN (copies.copy_due_date IS NOT NULL) THEN copies.due_time_zone END AS TEXT) AS due_time_zone,
    CAST(copies.priority AS SMALLINT) AS priority,
    CAST((
      SELECT
        places.places[width_bucket(copies.id, places.ids)] AS anon_2
      FROM places
    ) AS DECIMAL) AS position,
    CAST(copies.recurrence_rule AS TEXT) AS recurrence_rule,
    CAST(copies.recurrence_from AS TEXT) AS recurrence_from,
    CAST(copies.id AS UUID) AS previous_id,
    CAST(made_successor.id AS UUID) AS parent_id,
    CAST(owner.counter + 1::INT + 1::BIGINT + copies.number AS BIGINT) AS made_version,
    NULL::SMALLINT AS made_subtask_count
  FROM owner
  JOIN current
    ON TRUE
  JOIN made_successor
    ON TRUE
  JOIN copies
    ON TRUE
), made_copies AS (
  INSERT INTO tasks (
    id,
    user_id,
    title,
    description,
    is_completed,
    completed_at,
    created_at,
    updated_at,
    version,
    list_id,
    due_date,
    due_time,
    due_at,
    due_time_zone,
    priority,
    position,
    recurrence_rule,
    recurrence_from,
    previous_id,
    parent_id,
    made_version,
    made_subtask_count
  )
  SELECT
    composed_copies.id,
    composed_copies.user_id,
    composed_copies.title,
    composed_copies.description,
    composed_copies.is_completed,
    composed_copies.completed_at,
    composed_copies.created_at,
    composed_copies.updated_at,
    composed_copies.version,
    composed_copies.list_id,
    composed_copies.due_date,
    composed_copies.due_time,
    composed_copies.due_at,
    composed_copies.due_time_zone,
    composed_copies.priority,
    composed_copies.position,
    composed_copies.recurrence_rule,
    composed_copies.recurrence_from,
    composed_copies.previous_id,
    composed_copies.parent_id,
    composed_copies.made_version,
    composed_copies.made_subtask_count
  FROM composed_copies
  ON CONFLICT (id) DO NOTHING
  RETURNING
    tasks.id,
    tasks.user_id
), made_labels AS (
  INSERT INTO task_labels (
    user_id,
    task_id,
    label_id
  )
  SELECT
    made_successor.user_id,
    made_successor.id,
    task_labels.label_id
  FROM made_successor
  JOIN current
    ON TRUE
  JOIN task_labels
    ON task_labels.user_id = current.user_id AND task_labels.task_id = current.id
  UNION ALL
  SELECT
    made_copies.user_id,
    made_copies.id,
    task_labels.label_id
  FROM made_copies
  JOIN copies
    ON made_copies.id = copies.copy_id
  JOIN task_labels
    ON task_labels.user_id = copies.user_id AND task_labels.task_id = copies.id
), made AS (
  SELECT
    made_successor.id
  FROM made_successor
  UNION ALL
  SELECT
    made_copies.id
  FROM made_copies
), deleted_tombstones AS (
  DELETE FROM task_tombstones USING   made
  WHERE
    task_tombstones.user_id = :current_user_id::UUID
    AND task_tombstones.id = made.id
    AND task_tombstones.kind = 'task'::VARCHAR
), counter_bump AS (
  UPDATE owners SET
    counter = (owners.counter + 1::INT + 1::INT + cardinality(:subtask_ids::UUID[])),
    task_count = (
      owners.task_count + (
        SELECT
          count(*) AS count_3
        FROM made
      )
    )
  FROM current
  WHERE
    owners.id = current.user_id AND current.is_written
  RETURNING
    owners.id,
    owners.counter,
    current.now
), written AS (
  SELECT
    counter_bump.id,
    counter_bump.counter - (1::INT + cardinality(:subtask_ids::UUID[])) AS counter,
    counter_bump.now
  FROM counter_bump
), updated AS (
  UPDATE tasks SET
    title = coalesce(:new_title::VARCHAR, tasks.title),
    description = CASE WHEN :sets_description THEN :new_description::VARCHAR ELSE tasks.description END,
    is_completed = coalesce(:new_is_completed, tasks.is_completed),
    completed_at = CASE
      WHEN coalesce(:new_is_completed, tasks.is_completed) THEN coalesce(tasks.completed_at, written.now)
    END,
    updated_at = written.now,
    version = written.counter,
    list_id = current.new_list_id,
    due_date = CASE WHEN :sets_due THEN :new_due_date::DATE ELSE tasks.due_date END,
    due_time = CASE WHEN :sets_due THEN :new_due_time::TIME ELSE tasks.due_time END,
    due_at = CASE WHEN :sets_due THEN :new_due_at::TIMESTAMPTZ ELSE tasks.due_at END,
    due_time_zone = CASE WHEN :sets_due THEN :new_due_time_zone::VARCHAR ELSE tasks.due_time_zone END,
    priority = coalesce(:new_priority::SMALLINT, tasks.priority),
    recurrence_rule = CASE WHEN :sets_recurrence THEN :new_recurrence_rule::VARCHAR ELSE tasks.recurrence_rule END,
    recurrence_from = CASE WHEN :sets_recurrence THEN :new_recurrence_from::VARCHAR ELSE tasks.recurrence_from END,
    parent_id = CASE WHEN :sets_parent_id THEN :new_parent_id::UUID ELSE tasks.parent_id END
  FROM current, written
  WHERE
    tasks.id = :target_id::UUID AND tasks.id = current.id AND tasks.user_id = written.id
  RETURNING
    tasks.id,
    tasks.user_id,
    tasks.title,
    tasks.description,
    tasks.is_completed,
    tasks.status,
    to_char(timezone('UTC', tasks.completed_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS completed_at,
    to_char(timezone('UTC', tasks.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
    to_char(timezone('UTC', tasks.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at,
    tasks.version,
    tasks.list_id,
    CASE
      WHEN (tasks.due_date IS NOT NULL) THEN json_build_object(
        'date',
        tasks.due_date,
        'time',
        to_char(tasks.due_time, 'HH24:MI'),
        'time_zone',
        tasks.due_time_zone,
        'at',
        to_char(timezone('UTC', tasks.due_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
      )
    END AS due,
    CASE tasks.priority WHEN 0 THEN 'none' WHEN 1 THEN 'low' WHEN 2 THEN 'medium' WHEN 3 THEN 'high' END AS priority,
    array(
      (
        SELECT
          labels.name
        FROM labels
        JOIN task_labels
          ON task_labels.label_id = labels.id
        WHERE
          task_labels.user_id = tasks.user_id
          AND task_labels.task_id = tasks.id
          AND labels.user_id = tasks.user_id
        ORDER BY
          labels.folded_name
      )
    ) AS labels,
    repeat(
      '0',
      20 - length(
        CAST(trunc(
          trim_scale(
            coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000)
          )
        ) AS TEXT)
      )
    ) || CAST(trim_scale(
      coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000)
    ) AS TEXT) AS position,
    CASE
      WHEN (tasks.recurrence_rule IS NOT NULL) THEN json_build_object('rule', tasks.recurrence_rule, 'from', tasks.recurrence_from)
    END AS recurrence,
    tasks.previous_id,
    tasks.parent_id,
    CASE WHEN tasks.is_completed THEN (
      SELECT
        made_successor.id
      FROM made_successor
    ) END AS next_id
)
SELECT
  updated.id,
  updated.user_id,
  updated.title,
  updated.description,
  updated.is_completed,
  updated.status,
  updated.completed_at,
  updated.created_at,
  updated.updated_at,
  updated.version,
  updated.list_id,
  updated.due,
  updated.priority,
  updated.labels,
  updated.position,
  updated.recurrence,
  updated.previous_id,
  updated.parent_id,
  updated.next_id,
  current.conflict,
  current.may_be_outdated
FROM updated
JOIN current
  ON TRUE
UNION ALL
SELECT
  current.id,
  current.user_id,
  current.title,
  current.description,
  current.is_completed,
  current.status,
  to_char(timezone('UTC', current.completed_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS completed_at,
  to_char(timezone('UTC', current.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
  to_char(timezone('UTC', current.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at,
  current.version,
  current.list_id,
  CASE
    WHEN (current.due_date IS NOT NULL) THEN json_build_object(
      'date',
      current.due_date,
      'time',
      to_char(current.due_time, 'HH24:MI'),
      'time_zone',
      current.due_time_zone,
      'at',
      to_char(timezone('UTC', current.due_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    )
  END AS due,
  CASE current.priority WHEN 0 THEN 'none' WHEN 1 THEN 'low' WHEN 2 THEN 'medium' WHEN 3 THEN 'high' END AS priority,
  array(
    (
      SELECT
        labels.name
      FROM labels
      JOIN task_labels
        ON task_labels.label_id = labels.id
      WHERE
        task_labels.user_id = current.user_id
        AND task_labels.task_id = current.id
        AND labels.user_id = current.user_id
      ORDER BY
        labels.folded_name
    )
  ) AS labels,
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
  CASE
    WHEN (current.recurrence_rule IS NOT NULL) THEN json_build_object('rule', current.recurrence_rule, 'from', current.recurrence_from)
  END AS recurrence,
  current.previous_id,
  current.parent_id,
  CASE
    WHEN current.is_completed THEN (
      SELECT
        successor.id
      FROM tasks AS successor
      WHERE
        successor.user_id = :current_user_id::UUID
        AND successor.previous_id = :target_id::UUID
        AND (
          successor.made_subtask_count IS NOT NULL
          OR successor.made_version IS NULL
          AND successor.parent_id IS NULL
        )
      ORDER BY
        successor.made_subtask_count IS NULL,
        successor.id
      LIMIT 1::INT
    )
  END AS next_id,
  current.conflict,
  current.may_be_outdated
FROM current
WHERE
  NOT current.is_written;
