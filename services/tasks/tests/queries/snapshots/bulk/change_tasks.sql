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
              matched.id
            FROM matched
            WHERE
              matched.recurrence_rule IS NOT NULL
          )
        )
      ) THEN 'recurrence-without-due'::VARCHAR
      WHEN (NOT (:if_match::TEXT[] IS NULL OR CAST(owner.counter AS TEXT) = ANY (:if_match::TEXT[]))) THEN 'version-mismatch'::VARCHAR
      WHEN (
        EXISTS(
          SELECT
            matched.id
          FROM matched
          WHERE
            :new_is_completed AND NOT matched.is_completed AND matched.recurrence_rule IS NOT NULL
        )
      ) THEN 'recurs'::VARCHAR
    END AS conflict
  FROM owner
), counter_bump AS (
  UPDATE owners SET
    counter = (
      owners.counter + (
        SELECT
          count(*) AS count_1
        FROM changed
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
      WHEN coalesce(:new_is_completed, tasks.is_completed) THEN coalesce(tasks.completed_at, counter_bump.now)
    END,
    updated_at = counter_bump.now,
    version = (counter_bump.counter - changed_by_id.numbers[width_bucket(tasks.id, changed_by_id.ids)]),
    list_id = CASE WHEN :sets_list_id THEN :new_list_id::UUID ELSE tasks.list_id END,
    due_date = CASE WHEN :sets_due THEN :new_due_date::DATE ELSE tasks.due_date END,
    due_time = CASE WHEN :sets_due THEN :new_due_time::TIME ELSE tasks.due_time END,
    due_at = CASE WHEN :sets_due THEN :new_due_at::TIMESTAMPTZ ELSE tasks.due_at END,
    due_time_zone = CASE WHEN :sets_due THEN :new_due_time_zone::VARCHAR ELSE tasks.due_time_zone END,
    priority = coalesce(:new_priority::SMALLINT, tasks.priority)
  FROM counter_bump, changed_by_id
  WHERE
    tasks.user_id = counter_bump.id
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
      count(*) AS count_2
    FROM matched
  ) AS matched,
  (
    SELECT
      count(*) AS count_3
    FROM changed
  ) AS affected,
  coalesce((
    SELECT
      counter_bump.counter
    FROM counter_bump
  ), verdict.counter) AS version
FROM verdict;
