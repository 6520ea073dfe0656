WITH requested_labels AS (
  SELECT
    coalesce(labels.id, sent.id) AS id,
    coalesce(labels.name, sent.name) AS name,
    sent.folded_name COLLATE "C" AS folded_name,
    labels.id IS NULL AS is_new,
    row_number() OVER (PARTITION BY labels.id IS NULL ORDER BY sent.folded_name COLLATE "C") AS number
  FROM UNNEST(:label_ids::UUID[], :label_names::TEXT[], :folded_names::TEXT[]) AS sent(id, name, folded_name)
  LEFT OUTER JOIN labels
    ON labels.user_id = :current_user_id::UUID
    AND labels.folded_name = (sent.folded_name COLLATE "C")
), snapshot AS MATERIALIZED (
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
    array(
      (
        SELECT
          task_labels.label_id
        FROM task_labels
        WHERE
          task_labels.user_id = tasks.user_id AND task_labels.task_id = tasks.id
      )
    ) AS label_ids,
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
    )
    OR NOT (
      array(
        (
          SELECT
            task_labels.label_id
          FROM task_labels
          WHERE
            task_labels.user_id = tasks.user_id AND task_labels.task_id = tasks.id
        )
      ) @> array((
        SELECT
          requested_labels.id
        FROM requested_labels
      ))
    )
    OR (
      array(
        (
          SELECT
            task_labels.label_id
          FROM task_labels
          WHERE
            task_labels.user_id = tasks.user_id AND task_labels.task_id = tasks.id
        )
      ) && array(
        (
          SELECT
            labels.id
          FROM labels
          WHERE
            labels.user_id = :current_user_id::UUID
            AND labels.folded_name = ANY (:removed_labels::TEXT[])
        )
      )
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
    matched.label_ids,
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
      WHEN (
        EXISTS(
          SELECT
            changed.id
          FROM changed
          WHERE
            (
              cardinality(changed.label_ids) + (
                SELECT
                  count(*) AS count_3
                FROM UNNEST(array((
                  SELECT
                    requested_labels.id
                  FROM requested_labels
                ))) AS added(id)
                WHERE
                  added.id <> ALL(changed.label_ids)
              )
            ) - (
              SELECT
                count(*) AS count_4
              FROM UNNEST(array(
                (
                  SELECT
                    labels.id
                  FROM labels
                  WHERE
                    labels.user_id = :current_user_id::UUID
                    AND labels.folded_name = ANY (:removed_labels::TEXT[])
                )
              )) AS removed(id)
              WHERE
                removed.id = ANY (changed.label_ids)
            ) > 20::INT
        )
      ) THEN 'task-labels-full'::VARCHAR
      WHEN (
        owner.label_count + (
          SELECT
            count(*) AS count_2
          FROM requested_labels
          WHERE
            requested_labels.is_new
        ) > :labels_quota::INT
        AND (
          EXISTS(
            SELECT
              changed.id
            FROM changed
          )
        )
      ) THEN 'labels-full'::VARCHAR
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
      ) + (
        SELECT
          count(*) AS count_2
        FROM requested_labels
        WHERE
          requested_labels.is_new
      )
    ),
    label_count = (
      owners.label_count + (
        SELECT
          count(*) AS count_2
        FROM requested_labels
        WHERE
          requested_labels.is_new
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
      changed.label_ids,
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
), below AS (
  SELECT
    counter_bump.id,
    (
      counter_bump.counter - (
        SELECT
          count(*) AS count_1
        FROM changed
      )
    ) + 1::BIGINT AS counter,
    counter_bump.now
  FROM counter_bump
), new_labels AS (
  INSERT INTO labels (
    id,
    user_id,
    name,
    folded_name,
    created_at,
    updated_at,
    version
  )
  SELECT
    requested_labels.id,
    below.id AS id_1,
    requested_labels.name,
    requested_labels.folded_name,
    below.now,
    below.now AS now__1,
    below.counter - requested_labels.number AS anon_1
  FROM requested_labels
  JOIN below
    ON TRUE
  WHERE
    requested_labels.is_new
), linked AS (
  INSERT INTO task_labels (
    user_id,
    task_id,
    label_id
  )
  SELECT
    counter_bump.id,
    changed.id AS id_2,
    requested_labels.id AS id_3
  FROM counter_bump
  JOIN changed
    ON TRUE
  JOIN requested_labels
    ON requested_labels.id <> ALL(changed.label_ids)
), unlinked AS (
  DELETE FROM task_labels USING   counter_bump
  WHERE
    task_labels.user_id = counter_bump.id
    AND task_labels.label_id = ANY (
      array(
        (
          SELECT
            labels.id
          FROM labels
          WHERE
            labels.user_id = :current_user_id::UUID
            AND labels.folded_name = ANY (:removed_labels::TEXT[])
        )
      )
    )
    AND (
      task_labels.task_id IN (
        SELECT
          changed.id
        FROM changed
      )
    ) IS TRUE
)
SELECT
  verdict.conflict,
  (
    SELECT
      count(*) AS count_5
    FROM matched
  ) AS matched,
  (
    SELECT
      count(*) AS count_6
    FROM changed
  ) AS affected,
  coalesce((
    SELECT
      counter_bump.counter
    FROM counter_bump
  ), verdict.counter) AS version
FROM verdict;
