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
    CASE
      WHEN (
        CASE WHEN :sets_parent_id THEN :new_parent_id::UUID ELSE tasks.parent_id END IS NOT NULL
        AND NOT :sets_list_id
      ) THEN parent.list_id
      ELSE CASE WHEN :sets_list_id THEN :new_list_id::UUID ELSE tasks.list_id END
    END AS new_list_id,
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
      CASE
        WHEN (
          CASE WHEN :sets_parent_id THEN :new_parent_id::UUID ELSE tasks.parent_id END IS NOT NULL
          AND NOT :sets_list_id
        ) THEN parent.list_id
        ELSE CASE WHEN :sets_list_id THEN :new_list_id::UUID ELSE tasks.list_id END
      END,
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
        CASE WHEN :sets_parent_id THEN :new_parent_id::UUID ELSE tasks.parent_id END IS NOT NULL
        AND parent.id IS NULL
        AND CASE WHEN :sets_parent_id THEN :new_parent_id::UUID ELSE tasks.parent_id END <> :target_id::UUID
      ) THEN 'parent-not-found'::VARCHAR
      WHEN (
        CASE WHEN :sets_parent_id THEN :new_parent_id::UUID ELSE tasks.parent_id END IS NOT NULL
        AND (
          CASE WHEN :sets_parent_id THEN :new_parent_id::UUID ELSE tasks.parent_id END = :target_id::UUID
          OR parent.parent_id IS NOT NULL
        )
      ) THEN 'nested-too-deep'::VARCHAR
      WHEN (
        CASE WHEN :sets_parent_id THEN :new_parent_id::UUID ELSE tasks.parent_id END IS NOT NULL
        AND (
          EXISTS(
            SELECT
              subtask.id
            FROM tasks AS subtask
            WHERE
              subtask.user_id = :current_user_id::UUID AND subtask.parent_id = :target_id::UUID
          )
        )
      ) THEN 'nested-too-deep'::VARCHAR
      WHEN (
        CASE WHEN :sets_parent_id THEN :new_parent_id::UUID ELSE tasks.parent_id END IS NOT NULL
        AND (
          CASE
            WHEN (
              CASE WHEN :sets_parent_id THEN :new_parent_id::UUID ELSE tasks.parent_id END IS NOT NULL
              AND NOT :sets_list_id
            ) THEN parent.list_id
            ELSE CASE WHEN :sets_list_id THEN :new_list_id::UUID ELSE tasks.list_id END
          END IS DISTINCT FROM parent.list_id
          OR CASE WHEN :sets_recurrence THEN :new_recurrence_rule::VARCHAR ELSE tasks.recurrence_rule END IS NOT NULL
        )
      ) THEN 'contradiction'::VARCHAR
      WHEN (
        CASE WHEN :sets_parent_id THEN :new_parent_id::UUID ELSE tasks.parent_id END IS NOT NULL
        AND CASE WHEN :sets_parent_id THEN :new_parent_id::UUID ELSE tasks.parent_id END IS DISTINCT FROM tasks.parent_id
        AND (
          SELECT
            count(*) AS count_1
          FROM tasks AS sibling
          WHERE
            sibling.user_id = :current_user_id::UUID
            AND sibling.parent_id = CASE WHEN :sets_parent_id THEN :new_parent_id::UUID ELSE tasks.parent_id END
        ) >= 100::INT
      ) THEN 'subtasks-full'::VARCHAR
      WHEN (
        CASE WHEN :sets_recurrence THEN :new_recurrence_rule::VARCHAR ELSE tasks.recurrence_rule END IS NOT NULL
        AND CASE WHEN :sets_due THEN :new_due_date::DATE ELSE tasks.due_date END IS NULL
      ) THEN 'recurrence-without-due'::VARCHAR
      WHEN (NOT (:if_match::TEXT[] IS NULL OR CAST(tasks.version AS TEXT) = ANY (:if_match::TEXT[]))) THEN 'version-mismatch'::VARCHAR
      WHEN (
        NOT tasks.is_completed
        AND coalesce(:new_is_completed, tasks.is_completed)
        AND CASE WHEN :sets_recurrence THEN :new_recurrence_rule::VARCHAR ELSE tasks.recurrence_rule END IS NOT NULL
        OR tasks.is_completed
        AND NOT coalesce(:new_is_completed, tasks.is_completed)
        AND (
          (
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
          ) IS NOT NULL
          OR tasks.version <> (
            SELECT
              task_in_snapshot.version
            FROM tasks AS task_in_snapshot
            WHERE
              task_in_snapshot.id = :target_id::UUID
              AND task_in_snapshot.user_id = :current_user_id::UUID
          )
        )
      ) THEN 'recurs'::VARCHAR
    END AS conflict
  FROM tasks
  JOIN owner
    ON tasks.user_id = owner.id
  LEFT OUTER JOIN tasks AS parent
    ON parent.user_id = :current_user_id::UUID
    AND parent.id = CASE WHEN :sets_parent_id THEN :new_parent_id::UUID ELSE tasks.parent_id END
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
), affected_tasks AS (
  SELECT
    tasks.id,
    row_number() OVER (
      ORDER BY coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) DESC, tasks.id DESC
    ) AS number
  FROM tasks
  JOIN current
    ON tasks.user_id = current.user_id
  WHERE
    tasks.user_id = :current_user_id::UUID
    AND tasks.parent_id = :target_id::UUID
    AND tasks.list_id IS DISTINCT FROM current.new_list_id
    AND current.is_written
), counter_bump AS (
  UPDATE owners SET
    counter = (
      owners.counter + 1::INT + (
        SELECT
          count(*) AS count_2
        FROM affected_tasks
      )
    )
  FROM current
  WHERE
    owners.id = current.user_id AND current.is_written
  RETURNING
    owners.id,
    owners.counter,
    current.now
), updated_followers AS (
  UPDATE tasks SET
    updated_at = counter_bump.now,
    version = (counter_bump.counter - affected_tasks.number),
    list_id = current.new_list_id
  FROM affected_tasks, counter_bump, current
  WHERE
    tasks.id = affected_tasks.id AND tasks.user_id = counter_bump.id
), updated AS (
  UPDATE tasks SET
    title = coalesce(:new_title::VARCHAR, tasks.title),
    description = CASE WHEN :sets_description THEN :new_description::VARCHAR ELSE tasks.description END,
    is_completed = coalesce(:new_is_completed, tasks.is_completed),
    completed_at = CASE
      WHEN coalesce(:new_is_completed, tasks.is_completed) THEN coalesce(tasks.completed_at, counter_bump.now)
    END,
    updated_at = counter_bump.now,
    version = counter_bump.counter,
    list_id = current.new_list_id,
    due_date = CASE WHEN :sets_due THEN :new_due_date::DATE ELSE tasks.due_date END,
    due_time = CASE WHEN :sets_due THEN :new_due_time::TIME ELSE tasks.due_time END,
    due_at = CASE WHEN :sets_due THEN :new_due_at::TIMESTAMPTZ ELSE tasks.due_at END,
    due_time_zone = CASE WHEN :sets_due THEN :new_due_time_zone::VARCHAR ELSE tasks.due_time_zone END,
    priority = coalesce(:new_priority::SMALLINT, tasks.priority),
    recurrence_rule = CASE WHEN :sets_recurrence THEN :new_recurrence_rule::VARCHAR ELSE tasks.recurrence_rule END,
    recurrence_from = CASE WHEN :sets_recurrence THEN :new_recurrence_from::VARCHAR ELSE tasks.recurrence_from END,
    parent_id = CASE WHEN :sets_parent_id THEN :new_parent_id::UUID ELSE tasks.parent_id END
  FROM current, counter_bump
  WHERE
    tasks.id = :target_id::UUID AND tasks.id = current.id AND tasks.user_id = counter_bump.id
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
    CASE
      WHEN tasks.is_completed THEN (
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
    END AS next_id
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
