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
    AND owners.task_count < :quota::INT
    AND owners.counter = snapshot.counter
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
), task AS (
  SELECT
    :target_id::UUID AS id,
    owner.id AS user_id,
    :new_title::VARCHAR AS title,
    :new_description::VARCHAR AS description,
    :new_is_completed AS is_completed,
    CAST(parent.list_id AS UUID) AS list_id,
    :new_due_date::DATE AS due_date,
    :new_due_time::TIME AS due_time,
    :new_due_at::TIMESTAMPTZ AS due_at,
    :new_due_time_zone::VARCHAR AS due_time_zone,
    :new_priority::SMALLINT AS priority,
    :new_recurrence_rule::VARCHAR AS recurrence_rule,
    :new_recurrence_from::VARCHAR AS recurrence_from,
    :new_parent_id::UUID AS parent_id,
    CASE WHEN :new_is_completed THEN 'completed'::VARCHAR ELSE 'pending'::VARCHAR END AS status,
    CASE WHEN :new_is_completed THEN owner.now END AS completed_at,
    owner.now AS created_at,
    owner.now AS updated_at,
    owner.counter + 1::BIGINT AS version,
    NULL::DECIMAL AS position,
    NULL::UUID AS previous_id,
    NULL::BIGINT AS made_version,
    NULL::SMALLINT AS made_subtask_count,
    owner.now
  FROM owner
  JOIN tasks AS parent
    ON parent.user_id = :current_user_id::UUID AND parent.id = :new_parent_id::UUID
  WHERE
    CASE
      WHEN (parent.id IS NULL AND :new_parent_id::UUID <> :target_id::UUID) THEN 'parent-not-found'::VARCHAR
      WHEN (:new_parent_id::UUID = :target_id::UUID OR parent.parent_id IS NOT NULL) THEN 'nested-too-deep'::VARCHAR
      WHEN (
        :sets_list_id
        AND :new_list_id::UUID IS DISTINCT FROM parent.list_id
        OR :new_recurrence_rule::VARCHAR IS NOT NULL
      ) THEN 'contradiction'::VARCHAR
      WHEN (
        (
          SELECT
            count(*) AS count_1
          FROM tasks AS sibling
          WHERE
            sibling.user_id = :current_user_id::UUID AND sibling.parent_id = :new_parent_id::UUID
        ) >= 100::INT
      ) THEN 'subtasks-full'::VARCHAR
    END IS NULL
), created AS (
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
    task.id,
    task.user_id,
    task.title,
    task.description,
    task.is_completed,
    task.completed_at,
    task.created_at,
    task.updated_at,
    task.version,
    task.list_id,
    task.due_date,
    task.due_time,
    task.due_at,
    task.due_time_zone,
    task.priority,
    task.position,
    task.recurrence_rule,
    task.recurrence_from,
    task.previous_id,
    task.parent_id,
    task.made_version,
    task.made_subtask_count
  FROM task
  RETURNING
    tasks.id,
    tasks.user_id,
    tasks.version,
    tasks.created_at AS now
), counter_bump AS (
  UPDATE owners SET
    counter = created.version,
    task_count = (owners.task_count + 1::INT)
  FROM created
  WHERE
    owners.id = created.user_id
  RETURNING
    owners.id,
    owners.counter,
    created.now
)
SELECT
  created.id,
  created.version,
  CAST((
    SELECT
      row_to_json(shown) AS row_to_json_1
    FROM (
      SELECT
        task.id,
        task.user_id,
        task.title,
        task.description,
        task.is_completed,
        task.status,
        to_char(timezone('UTC', task.completed_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS completed_at,
        to_char(timezone('UTC', task.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
        to_char(timezone('UTC', task.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at,
        task.version,
        task.list_id,
        CASE
          WHEN (task.due_date IS NOT NULL) THEN json_build_object(
            'date',
            task.due_date,
            'time',
            to_char(task.due_time, 'HH24:MI'),
            'time_zone',
            task.due_time_zone,
            'at',
            to_char(timezone('UTC', task.due_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
          )
        END AS due,
        CASE task.priority WHEN 0 THEN 'none' WHEN 1 THEN 'low' WHEN 2 THEN 'medium' WHEN 3 THEN 'high' END AS priority,
        CAST('{}'::VARCHAR AS TEXT[]) AS labels,
        repeat(
          '0',
          20 - length(
            CAST(trunc(
              trim_scale(coalesce(task.position, EXTRACT(EPOCH FROM timezone('UTC', task.created_at)) * 1000000))
            ) AS TEXT)
          )
        ) || CAST(trim_scale(coalesce(task.position, EXTRACT(EPOCH FROM timezone('UTC', task.created_at)) * 1000000)) AS TEXT) AS position,
        CASE
          WHEN (task.recurrence_rule IS NOT NULL) THEN json_build_object('rule', task.recurrence_rule, 'from', task.recurrence_from)
        END AS recurrence,
        task.previous_id,
        task.parent_id
      FROM task
    ) AS shown
  ) AS TEXT) AS response
FROM created;
