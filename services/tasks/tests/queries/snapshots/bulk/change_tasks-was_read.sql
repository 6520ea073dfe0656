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
), changed AS (
  SELECT
    matched.id,
    matched.sort_position,
    matched.parent_id,
    matched.previous_id,
    matched.list_id,
    matched.is_completed,
    matched.recurrence_rule,
    matched.differs,
    row_number() OVER (ORDER BY matched.sort_position DESC, matched.id DESC) - 1::INT AS number
  FROM matched
  WHERE
    matched.differs
), sources_and_arriving AS (
  SELECT
    tasks.id,
    CASE WHEN :sets_list_id THEN :new_list_id::UUID ELSE tasks.list_id END AS list_id,
    coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS sort_position,
    TRUE AS is_source
  FROM tasks
  WHERE
    tasks.user_id = :current_user_id::UUID
    AND tasks.id = ANY (array_cat(:completed_ids::UUID[], :subtask_ids::UUID[]))
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
    CASE
      WHEN (
        (
          tasks.id IN (
            SELECT
              matched.id
            FROM matched
          )
        ) IS TRUE
      ) THEN coalesce(:new_is_completed, tasks.is_completed)
      ELSE tasks.is_completed
    END AS is_completed,
    tasks.completed_at,
    tasks.created_at,
    tasks.updated_at,
    tasks.version,
    CASE
      WHEN (
        (
          tasks.id IN (
            SELECT
              matched.id
            FROM matched
          )
        ) IS TRUE
      ) THEN CASE WHEN :sets_list_id THEN :new_list_id::UUID ELSE tasks.list_id END
      ELSE tasks.list_id
    END AS list_id,
    CASE
      WHEN (
        (
          tasks.id IN (
            SELECT
              matched.id
            FROM matched
          )
        ) IS TRUE
      ) THEN CASE WHEN :sets_due THEN :new_due_date::DATE ELSE tasks.due_date END
      ELSE tasks.due_date
    END AS due_date,
    CASE
      WHEN (
        (
          tasks.id IN (
            SELECT
              matched.id
            FROM matched
          )
        ) IS TRUE
      ) THEN CASE WHEN :sets_due THEN :new_due_time::TIME ELSE tasks.due_time END
      ELSE tasks.due_time
    END AS due_time,
    CASE
      WHEN (
        (
          tasks.id IN (
            SELECT
              matched.id
            FROM matched
          )
        ) IS TRUE
      ) THEN CASE WHEN :sets_due THEN :new_due_at::TIMESTAMPTZ ELSE tasks.due_at END
      ELSE tasks.due_at
    END AS due_at,
    CASE
      WHEN (
        (
          tasks.id IN (
            SELECT
              matched.id
            FROM matched
          )
        ) IS TRUE
      ) THEN CASE WHEN :sets_due THEN :new_due_time_zone::VARCHAR ELSE tasks.due_time_zone END
      ELSE tasks.due_time_zone
    END AS due_time_zone,
    CASE
      WHEN (
        (
          tasks.id IN (
            SELECT
              matched.id
            FROM matched
          )
        ) IS TRUE
      ) THEN coalesce(:new_priority::SMALLINT, tasks.priority)
      ELSE tasks.priority
    END AS priority,
    tasks.position,
    tasks.recurrence_rule,
    tasks.recurrence_from,
    tasks.previous_id,
    tasks.parent_id,
    tasks.made_version,
    tasks.made_subtask_count,
    sent_copies.source_id,
    sent_copies.new_id,
    sent_copies.new_due_date,
    sent_copies.new_due_at,
    sent_copies.new_rule,
    row_number() OVER (
      ORDER BY coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000), tasks.id
    ) AS number
  FROM tasks
  JOIN UNNEST(:subtask_ids::UUID[], :copy_ids::UUID[], :copy_due_dates::DATE[], :copy_due_ats::TIMESTAMPTZ[], :copy_rules::TEXT[]) AS sent_copies(source_id, new_id, new_due_date, new_due_at, new_rule)
    ON tasks.id = sent_copies.source_id
  WHERE
    tasks.user_id = :current_user_id::UUID
    AND NOT (
      EXISTS(
        SELECT
          *
        FROM tasks AS holder
        WHERE
          holder.id = sent_copies.new_id
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
            AND task_tombstones.id = sent_copies.new_id
            AND task_tombstones.kind <> 'task'::VARCHAR
        )
      )
      OR (
        EXISTS(
          SELECT
            *
          FROM task_lists
          WHERE
            task_lists.user_id = :current_user_id::UUID AND task_lists.id = sent_copies.new_id
        )
      )
      OR (
        EXISTS(
          SELECT
            *
          FROM labels
          WHERE
            labels.user_id = :current_user_id::UUID AND labels.id = sent_copies.new_id
        )
      )
    )
), verdict AS (
  SELECT
    owner.id AS user_id,
    owner.counter,
    owner.now,
    CASE
      WHEN (
        owner.counter <> :expected_counter::BIGINT
        OR coalesce(owner.now >= :day_ends_at::TIMESTAMPTZ, FALSE)
      ) THEN 'stale'::VARCHAR
      WHEN NOT owner.is_current THEN 'stale'::VARCHAR
      WHEN (
        :sets_due
        AND :new_due_date::DATE IS NULL
        AND (
          EXISTS(
            SELECT
              matched.id
            FROM matched
            WHERE
              matched.recurrence_rule IS NOT NULL
          )
        )
      ) THEN 'recurrence-without-due'::VARCHAR
      WHEN (NOT (:if_match::TEXT[] IS NULL OR CAST(owner.counter AS TEXT) = ANY (:if_match::TEXT[]))) THEN 'version-mismatch'::VARCHAR
    END AS conflict
  FROM owner
), candidates AS (
  SELECT
    tasks.id,
    tasks.user_id,
    tasks.title,
    tasks.description,
    coalesce(:new_is_completed, tasks.is_completed) AS is_completed,
    tasks.completed_at,
    tasks.created_at,
    tasks.updated_at,
    tasks.version,
    CASE WHEN :sets_list_id THEN :new_list_id::UUID ELSE tasks.list_id END AS list_id,
    CASE WHEN :sets_due THEN :new_due_date::DATE ELSE tasks.due_date END AS due_date,
    CASE WHEN :sets_due THEN :new_due_time::TIME ELSE tasks.due_time END AS due_time,
    CASE WHEN :sets_due THEN :new_due_at::TIMESTAMPTZ ELSE tasks.due_at END AS due_at,
    CASE WHEN :sets_due THEN :new_due_time_zone::VARCHAR ELSE tasks.due_time_zone END AS due_time_zone,
    coalesce(:new_priority::SMALLINT, tasks.priority) AS priority,
    tasks.position,
    tasks.recurrence_rule,
    tasks.recurrence_from,
    tasks.previous_id,
    tasks.parent_id,
    tasks.made_version,
    tasks.made_subtask_count,
    sent_successors.new_id,
    sent_successors.new_due_date,
    sent_successors.new_due_at,
    sent_successors.new_rule,
    (
      SELECT
        count(*) AS count_2
      FROM copies
      WHERE
        copies.parent_id = tasks.id
    ) AS copy_count,
    sum(
      1::INT + (
        SELECT
          count(*) AS count_2
        FROM copies
        WHERE
          copies.parent_id = tasks.id
      )
    ) OVER (
      ORDER BY coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000), tasks.id
    ) AS total_size,
    row_number() OVER (
      ORDER BY coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000), tasks.id
    ) AS number
  FROM tasks
  JOIN UNNEST(:completed_ids::UUID[], :successor_ids::UUID[], :successor_due_dates::DATE[], :successor_due_ats::TIMESTAMPTZ[], :successor_rules::TEXT[]) AS sent_successors(source_id, new_id, new_due_date, new_due_at, new_rule)
    ON tasks.id = sent_successors.source_id
  JOIN verdict
    ON verdict.conflict IS NULL
  WHERE
    tasks.user_id = :current_user_id::UUID
    AND NOT (
      EXISTS(
        SELECT
          *
        FROM tasks AS holder
        WHERE
          holder.id = sent_successors.new_id
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
            AND task_tombstones.id = sent_successors.new_id
            AND task_tombstones.kind <> 'task'::VARCHAR
        )
      )
      OR (
        EXISTS(
          SELECT
            *
          FROM task_lists
          WHERE
            task_lists.user_id = :current_user_id::UUID AND task_lists.id = sent_successors.new_id
        )
      )
      OR (
        EXISTS(
          SELECT
            *
          FROM labels
          WHERE
            labels.user_id = :current_user_id::UUID AND labels.id = sent_successors.new_id
        )
      )
    )
), successors AS (
  SELECT
    CAST(candidates.new_id AS UUID) AS id,
    CAST(owner.id AS UUID) AS user_id,
    CAST(candidates.title AS TEXT) AS title,
    CAST(candidates.description AS TEXT) AS description,
    CAST(FALSE AS BOOLEAN) AS is_completed,
    NULL::TIMESTAMPTZ AS completed_at,
    CAST(owner.now AS TIMESTAMPTZ) AS created_at,
    CAST(owner.now AS TIMESTAMPTZ) AS updated_at,
    CAST(owner.counter + (
      SELECT
        count(*) AS count_1
      FROM changed
    ) + candidates.number AS BIGINT) AS version,
    CAST(candidates.list_id AS UUID) AS list_id,
    CAST(candidates.new_due_date AS DATE) AS due_date,
    CAST(candidates.due_time AS TIME) AS due_time,
    CAST(candidates.new_due_at AS TIMESTAMPTZ) AS due_at,
    CAST(candidates.due_time_zone AS TEXT) AS due_time_zone,
    CAST(candidates.priority AS SMALLINT) AS priority,
    CAST((
      SELECT
        places.places[width_bucket(candidates.id, places.ids)] AS anon_1
      FROM places
    ) AS DECIMAL) AS position,
    CAST(candidates.new_rule AS TEXT) AS recurrence_rule,
    CAST(candidates.recurrence_from AS TEXT) AS recurrence_from,
    CAST(candidates.id AS UUID) AS previous_id,
    NULL::UUID AS parent_id,
    CAST(owner.counter + (
      SELECT
        count(*) AS count_1
      FROM changed
    ) + candidates.number AS BIGINT) AS made_version,
    CAST(candidates.copy_count AS SMALLINT) AS made_subtask_count
  FROM owner
  JOIN candidates
    ON TRUE
  WHERE
    owner.task_count + candidates.total_size <= :quota::INT
), made_successors AS (
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
    successors.id,
    successors.user_id,
    successors.title,
    successors.description,
    successors.is_completed,
    successors.completed_at,
    successors.created_at,
    successors.updated_at,
    successors.version,
    successors.list_id,
    successors.due_date,
    successors.due_time,
    successors.due_at,
    successors.due_time_zone,
    successors.priority,
    successors.position,
    successors.recurrence_rule,
    successors.recurrence_from,
    successors.previous_id,
    successors.parent_id,
    successors.made_version,
    successors.made_subtask_count
  FROM successors
  ON CONFLICT (id) DO NOTHING
  RETURNING
    tasks.id,
    tasks.user_id
), copies_to_make AS (
  SELECT
    copies.id,
    copies.user_id,
    copies.title,
    copies.description,
    copies.is_completed,
    copies.completed_at,
    copies.created_at,
    copies.updated_at,
    copies.version,
    copies.list_id,
    copies.due_date,
    copies.due_time,
    copies.due_at,
    copies.due_time_zone,
    copies.priority,
    copies.position,
    copies.recurrence_rule,
    copies.recurrence_from,
    copies.previous_id,
    copies.parent_id,
    copies.made_version,
    copies.made_subtask_count,
    copies.source_id,
    copies.new_id,
    copies.new_due_date,
    copies.new_due_at,
    copies.new_rule,
    copies.number,
    successors.id AS new_parent_id,
    successors.list_id AS new_list_id
  FROM copies
  JOIN successors
    ON copies.parent_id = successors.previous_id
  JOIN made_successors
    ON made_successors.id = successors.id
), composed_copies AS (
  SELECT
    CAST(copies_to_make.new_id AS UUID) AS id,
    CAST(owner.id AS UUID) AS user_id,
    CAST(copies_to_make.title AS TEXT) AS title,
    CAST(copies_to_make.description AS TEXT) AS description,
    CAST(FALSE AS BOOLEAN) AS is_completed,
    NULL::TIMESTAMPTZ AS completed_at,
    CAST(owner.now AS TIMESTAMPTZ) AS created_at,
    CAST(owner.now AS TIMESTAMPTZ) AS updated_at,
    CAST(owner.counter + (
      SELECT
        count(*) AS count_1
      FROM changed
    ) + cardinality(:completed_ids::UUID[]) + copies_to_make.number AS BIGINT) AS version,
    CAST(copies_to_make.new_list_id AS UUID) AS list_id,
    CAST(copies_to_make.new_due_date AS DATE) AS due_date,
    CAST(CASE WHEN (copies_to_make.new_due_date IS NOT NULL) THEN copies_to_make.due_time END AS TIME) AS due_time,
    CAST(copies_to_make.new_due_at AS TIMESTAMPTZ) AS due_at,
    CAST(CASE WHEN (copies_to_make.new_due_date IS NOT NULL) THEN copies_to_make.due_time_zone END AS TEXT) AS due_time_zone,
    CAST(copies_to_make.priority AS SMALLINT) AS priority,
    CAST((
      SELECT
        places.places[width_bucket(copies_to_make.id, places.ids)] AS anon_2
      FROM places
    ) AS DECIMAL) AS position,
    CAST(copies_to_make.recurrence_rule AS TEXT) AS recurrence_rule,
    CAST(copies_to_make.recurrence_from AS TEXT) AS recurrence_from,
    CAST(copies_to_make.id AS UUID) AS previous_id,
    CAST(copies_to_make.new_parent_id AS UUID) AS parent_id,
    CAST(owner.counter + (
      SELECT
        count(*) AS count_1
      FROM changed
    ) + cardinality(:completed_ids::UUID[]) + copies_to_make.number AS BIGINT) AS made_version,
    NULL::SMALLINT AS made_subtask_count
  FROM owner
  JOIN copies_to_make
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
    made_successors.user_id,
    made_successors.id,
    task_labels.label_id
  FROM made_successors
  JOIN successors
    ON made_successors.id = successors.id
  JOIN task_labels
    ON task_labels.user_id = successors.user_id AND task_labels.task_id = successors.previous_id
  UNION
  SELECT
    made_copies.user_id,
    made_copies.id,
    task_labels.label_id
  FROM made_copies
  JOIN composed_copies
    ON made_copies.id = composed_copies.id
  JOIN task_labels
    ON task_labels.user_id = composed_copies.user_id
    AND task_labels.task_id = composed_copies.previous_id
), made AS (
  SELECT
    made_successors.id
  FROM made_successors
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
    counter = (
      owners.counter + (
        SELECT
          count(*) AS count_1
        FROM changed
      ) + cardinality(:completed_ids::UUID[]) + cardinality(:subtask_ids::UUID[])
    ),
    task_count = (
      owners.task_count + (
        SELECT
          count(*) AS count_3
        FROM made
      )
    )
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
), written AS (
  SELECT
    counter_bump.id,
    counter_bump.counter - (cardinality(:completed_ids::UUID[]) + cardinality(:subtask_ids::UUID[])) AS counter,
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
    priority = coalesce(:new_priority::SMALLINT, tasks.priority)
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
