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
), target_list AS (
  SELECT
    task_lists.id
  FROM task_lists
  JOIN owner
    ON task_lists.user_id = owner.id
  WHERE
    task_lists.id = :new_list_id::UUID
    FOR KEY SHARE OF task_lists
), current AS (
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
    coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS sort_position,
    CASE WHEN :sets_list_id THEN :new_list_id::UUID ELSE tasks.list_id END AS target_list_id,
    tasks.list_id IS NOT DISTINCT FROM CASE WHEN :sets_list_id THEN :new_list_id::UUID ELSE tasks.list_id END AS unchanged_list,
    owner.now,
    CASE
      WHEN NOT owner.is_current THEN 'stale'::VARCHAR
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
        tasks.parent_id IS NOT NULL
        AND tasks.list_id IS DISTINCT FROM CASE WHEN :sets_list_id THEN :new_list_id::UUID ELSE tasks.list_id END
      ) THEN 'contradiction'::VARCHAR
    END AS conflict,
    :if_match::TEXT[] IS NULL OR CAST(tasks.version AS TEXT) = ANY (:if_match::TEXT[]) AS matches_if_match
  FROM tasks
  JOIN owner
    ON tasks.user_id = owner.id
  WHERE
    tasks.id = :target_id::UUID
    FOR UPDATE OF tasks
), anchor AS (
  SELECT
    tasks.id,
    coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS sort_position
  FROM tasks
  JOIN current
    ON tasks.user_id = current.user_id AND tasks.id <> current.id
  WHERE
    tasks.id = :after::UUID
    AND NOT :to_start
    AND NOT :to_end
    AND tasks.list_id IS NOT DISTINCT FROM current.target_list_id
), preceding AS (
  SELECT
    sibling.id,
    sibling.sort_position
  FROM current
  JOIN LATERAL (
    SELECT
      tasks.id,
      coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS sort_position
    FROM tasks
    WHERE
      tasks.user_id = current.user_id
      AND tasks.id <> current.id
      AND tasks.list_id = current.target_list_id
    ORDER BY
      tasks.list_id DESC,
      coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) DESC,
      tasks.id DESC
    LIMIT 1::INT
  ) AS sibling
    ON TRUE
  WHERE
    :to_end AND current.target_list_id IS NOT NULL
  UNION ALL
  SELECT
    sibling.id,
    sibling.sort_position
  FROM current
  JOIN LATERAL (
    SELECT
      tasks.id,
      coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS sort_position
    FROM tasks
    WHERE
      tasks.user_id = current.user_id AND tasks.id <> current.id AND tasks.list_id IS NULL
    ORDER BY
      tasks.list_id DESC,
      coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) DESC,
      tasks.id DESC
    LIMIT 1::INT
  ) AS sibling
    ON TRUE
  WHERE
    :to_end AND current.target_list_id IS NULL
  UNION ALL
  SELECT
    anchor.id,
    anchor.sort_position
  FROM anchor
), following AS (
  SELECT
    sibling.id,
    sibling.sort_position
  FROM current
  JOIN LATERAL (
    SELECT
      tasks.id,
      coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS sort_position
    FROM tasks
    WHERE
      tasks.user_id = current.user_id
      AND tasks.id <> current.id
      AND tasks.list_id = current.target_list_id
    ORDER BY
      tasks.list_id,
      coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000),
      tasks.id
    LIMIT 1::INT
  ) AS sibling
    ON TRUE
  WHERE
    :to_start AND current.target_list_id IS NOT NULL
  UNION ALL
  SELECT
    sibling.id,
    sibling.sort_position
  FROM current
  JOIN LATERAL (
    SELECT
      tasks.id,
      coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS sort_position
    FROM tasks
    WHERE
      tasks.user_id = current.user_id AND tasks.id <> current.id AND tasks.list_id IS NULL
    ORDER BY
      tasks.list_id,
      coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000),
      tasks.id
    LIMIT 1::INT
  ) AS sibling
    ON TRUE
  WHERE
    :to_start AND current.target_list_id IS NULL
  UNION ALL
  SELECT
    sibling.id,
    sibling.sort_position
  FROM current
  JOIN anchor
    ON TRUE
  JOIN LATERAL (
    SELECT
      tasks.id,
      coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS sort_position
    FROM tasks
    WHERE
      tasks.user_id = current.user_id
      AND tasks.id <> current.id
      AND tasks.list_id = current.target_list_id
      AND (
        coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000),
        tasks.id
      ) > (anchor.sort_position, anchor.id)
    ORDER BY
      tasks.list_id,
      coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000),
      tasks.id
    LIMIT 1::INT
  ) AS sibling
    ON TRUE
  WHERE
    NOT :to_start AND NOT :to_end AND current.target_list_id IS NOT NULL
  UNION ALL
  SELECT
    sibling.id,
    sibling.sort_position
  FROM current
  JOIN anchor
    ON TRUE
  JOIN LATERAL (
    SELECT
      tasks.id,
      coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS sort_position
    FROM tasks
    WHERE
      tasks.user_id = current.user_id
      AND tasks.id <> current.id
      AND tasks.list_id IS NULL
      AND (
        coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000),
        tasks.id
      ) > (anchor.sort_position, anchor.id)
    ORDER BY
      tasks.list_id,
      coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000),
      tasks.id
    LIMIT 1::INT
  ) AS sibling
    ON TRUE
  WHERE
    NOT :to_start AND NOT :to_end AND current.target_list_id IS NULL
), gap AS (
  SELECT
    current.id,
    current.user_id,
    current.title,
    current.description,
    current.is_completed,
    current.status,
    current.completed_at,
    current.created_at,
    current.updated_at,
    current.version,
    current.list_id,
    current.due_date,
    current.due_time,
    current.due_at,
    current.due_time_zone,
    current.priority,
    current.position,
    current.recurrence_rule,
    current.recurrence_from,
    current.previous_id,
    current.parent_id,
    current.made_version,
    current.made_subtask_count,
    current.sort_position,
    current.target_list_id,
    current.unchanged_list,
    current.now,
    current.conflict,
    current.matches_if_match,
    CAST(CAST(EXTRACT(EPOCH FROM current.now) * 1000000::INT AS BIGINT) AS DECIMAL) AS now_microseconds,
    preceding.id AS preceding_id,
    preceding.sort_position AS preceding_position,
    following.id AS following_id,
    following.sort_position AS following_position,
    trim_scale(
      coalesce(
        (
          coalesce(preceding.sort_position, greatest(following.sort_position - 2000000::INT, 0::INT)) + following.sort_position
        ) * 0.5,
        greatest(
          CAST(CAST(EXTRACT(EPOCH FROM current.now) * 1000000::INT AS BIGINT) AS DECIMAL),
          preceding.sort_position + 1::INT
        )
      )
    ) AS new_position
  FROM current
  LEFT OUTER JOIN preceding
    ON TRUE
  LEFT OUTER JOIN following
    ON TRUE
), slot AS (
  SELECT
    gap.id,
    gap.user_id,
    gap.target_list_id,
    gap.now,
    gap.now_microseconds,
    gap.new_position,
    gap.preceding_id,
    gap.preceding_position,
    coalesce(gap.new_position <= gap.preceding_position, FALSE)
    OR coalesce(gap.new_position >= gap.following_position, FALSE)
    OR scale(gap.new_position) > 230::INT
    OR gap.new_position >= '100000000000000000000' AS is_full,
    coalesce(
      gap.unchanged_list
      AND (
        gap.id = :after::UUID
        OR coalesce((gap.sort_position, gap.id) > (gap.preceding_position, gap.preceding_id), TRUE)
        AND coalesce((gap.sort_position, gap.id) < (gap.following_position, gap.following_id), TRUE)
      ),
      FALSE
    ) AS is_unchanged,
    coalesce(
      gap.conflict,
      CASE
        WHEN (
          NOT :to_start
          AND NOT :to_end
          AND gap.preceding_id IS NULL
          AND NOT (gap.id = :after::UUID AND gap.unchanged_list)
        ) THEN 'after-not-found'::VARCHAR
        WHEN NOT gap.matches_if_match THEN 'version-mismatch'::VARCHAR
      END
    ) AS conflict
  FROM gap
), siblings AS (
  SELECT
    tasks.id,
    coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS sort_position
  FROM tasks
  JOIN current
    ON TRUE
  WHERE
    tasks.user_id = current.user_id
    AND tasks.id <> current.id
    AND tasks.list_id = current.target_list_id
    AND current.target_list_id IS NOT NULL
  UNION ALL
  SELECT
    tasks.id,
    coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS sort_position
  FROM tasks
  JOIN current
    ON TRUE
  WHERE
    tasks.user_id = current.user_id
    AND tasks.id <> current.id
    AND tasks.list_id IS NULL
    AND current.target_list_id IS NULL
), placements AS (
  SELECT
    slot.id,
    slot.new_position AS position,
    1::INT AS number,
    1::INT AS total
  FROM slot
  WHERE
    slot.conflict IS NULL AND NOT slot.is_unchanged AND NOT slot.is_full
  UNION ALL
  SELECT
    numbered.id,
    slot.now_microseconds - (numbered.total - numbered.number) * 1000000::INT AS position,
    numbered.number,
    numbered.total
  FROM (
    SELECT
      ranked.id,
      row_number() OVER (ORDER BY ranked.rank, ranked.sort_position, ranked.id) AS number,
      count(*) OVER () AS total
    FROM (
      SELECT
        siblings.id,
        siblings.sort_position,
        CASE
          WHEN coalesce((siblings.sort_position, siblings.id) > (slot.preceding_position, slot.preceding_id), TRUE) THEN 2::INT
          ELSE 0::INT
        END AS rank
      FROM siblings
      JOIN slot
        ON TRUE
      UNION ALL
      SELECT
        slot.id,
        slot.new_position,
        1::INT AS anon_1
      FROM slot
    ) AS ranked
  ) AS numbered
  JOIN slot
    ON TRUE
  WHERE
    slot.conflict IS NULL AND NOT slot.is_unchanged AND slot.is_full
), affected_tasks AS (
  SELECT
    tasks.id,
    row_number() OVER (
      ORDER BY coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) DESC, tasks.id DESC
    ) + (
      (
        SELECT
          count(*) AS count_1
        FROM placements
      ) - 1::INT
    ) AS number
  FROM tasks
  JOIN slot
    ON tasks.user_id = slot.user_id
  WHERE
    tasks.user_id = :current_user_id::UUID
    AND tasks.parent_id = :target_id::UUID
    AND tasks.list_id IS DISTINCT FROM slot.target_list_id
    AND slot.conflict IS NULL
), counter_bump AS (
  UPDATE owners SET
    counter = (
      owners.counter + greatest((
        SELECT
          count(*) AS count_2
        FROM placements
      ), 1::INT) + (
        SELECT
          count(*) AS count_3
        FROM affected_tasks
      )
    )
  FROM slot
  WHERE
    owners.id = :current_user_id::UUID
    AND owners.id = slot.user_id
    AND (
      EXISTS(
        SELECT
          placements.id
        FROM placements
      )
    )
  RETURNING
    owners.id,
    owners.counter,
    slot.now,
    slot.target_list_id
), updated_followers AS (
  UPDATE tasks SET
    updated_at = counter_bump.now,
    version = (counter_bump.counter - affected_tasks.number),
    list_id = counter_bump.target_list_id
  FROM affected_tasks, counter_bump
  WHERE
    tasks.id = affected_tasks.id AND tasks.user_id = counter_bump.id
), updated AS (
  UPDATE tasks SET
    updated_at = counter_bump.now,
    version = ((counter_bump.counter - placements.total) + placements.number),
    list_id = counter_bump.target_list_id,
    position = placements.position
  FROM placements, counter_bump
  WHERE
    tasks.id = ANY (
      array((
        SELECT
          placements.id
        FROM placements
      ))
    )
    AND tasks.id = placements.id
    AND tasks.user_id = counter_bump.id
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
    counter_bump.now
), moved AS (
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
    updated.now
  FROM updated
  WHERE
    updated.id = :target_id::UUID
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
    current.now
  FROM current
  WHERE
    NOT (
      EXISTS(
        SELECT
          updated.id
        FROM updated
      )
    )
)
SELECT
  moved.id,
  moved.version,
  CAST((
    SELECT
      row_to_json(shown) AS row_to_json_1
    FROM (
      SELECT
        moved.id,
        moved.user_id,
        moved.title,
        moved.description,
        moved.is_completed,
        moved.status,
        moved.completed_at,
        moved.created_at,
        moved.updated_at,
        moved.version,
        moved.list_id,
        moved.due,
        moved.priority,
        moved.labels,
        moved.position,
        moved.recurrence,
        moved.previous_id,
        moved.parent_id
      FROM moved
    ) AS shown
  ) AS TEXT) AS response,
  slot.conflict
FROM moved
JOIN slot
  ON TRUE;
