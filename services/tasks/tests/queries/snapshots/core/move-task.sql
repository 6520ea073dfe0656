WITH seen AS MATERIALIZED (
  SELECT
    begun.counter
  FROM owners AS begun
  WHERE
    begun.id = :current_user_id::UUID
), locked AS MATERIALIZED (
  SELECT
    owners.id,
    owners.counter,
    owners.task_count,
    owners.list_count,
    owners.label_count,
    owners.pruned_version,
    owners.created_at,
    owners.counter = seen.counter AS is_current
  FROM owners
  JOIN seen
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
), listed AS (
  SELECT
    task_lists.id
  FROM task_lists
  JOIN owner
    ON task_lists.user_id = owner.id
  WHERE
    task_lists.id = :new_list_id::UUID
    FOR KEY SHARE OF task_lists
), before AS (
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
    coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS place,
    CASE WHEN :sets_list_id THEN :new_list_id::UUID ELSE tasks.list_id END AS target,
    owner.now,
    CASE
      WHEN NOT owner.is_current THEN 'stale'::VARCHAR
      WHEN (
        :sets_list_id
        AND :new_list_id::UUID IS NOT NULL
        AND NOT (
          EXISTS(
            SELECT
              listed.id
            FROM listed
          )
        )
      ) THEN 'list-not-found'::VARCHAR
    END AS conflict,
    :if_match::TEXT[] IS NULL OR CAST(tasks.version AS TEXT) = ANY (:if_match::TEXT[]) AS matches
  FROM tasks
  JOIN owner
    ON tasks.user_id = owner.id
  WHERE
    tasks.id = :target_id::UUID
    FOR UPDATE OF tasks
), anchor AS (
  SELECT
    tasks.id,
    coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS place
  FROM tasks
  JOIN before
    ON tasks.user_id = before.user_id AND tasks.id <> before.id
  WHERE
    tasks.id = :after::UUID
    AND NOT :goes_first
    AND NOT :goes_last
    AND tasks.list_id IS NOT DISTINCT FROM before.target
), previous AS (
  (
    SELECT
      anon_1.id,
      anon_1.place
    FROM before
    JOIN LATERAL (
      SELECT
        tasks.id,
        coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS place
      FROM tasks
      WHERE
        tasks.user_id = before.user_id AND tasks.id <> before.id AND tasks.list_id = before.target
      ORDER BY
        tasks.list_id DESC,
        coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) DESC,
        tasks.id DESC
      LIMIT 1::INT
    ) AS anon_1
      ON TRUE
    WHERE
      :goes_last AND before.target IS NOT NULL
    UNION ALL
    SELECT
      anon_2.id,
      anon_2.place
    FROM before
    JOIN LATERAL (
      SELECT
        tasks.id,
        coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS place
      FROM tasks
      WHERE
        tasks.user_id = before.user_id AND tasks.id <> before.id AND tasks.list_id IS NULL
      ORDER BY
        tasks.list_id DESC,
        coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) DESC,
        tasks.id DESC
      LIMIT 1::INT
    ) AS anon_2
      ON TRUE
    WHERE
      :goes_last AND before.target IS NULL
  )
  UNION ALL
  SELECT
    anchor.id,
    anchor.place
  FROM anchor
), following AS (
  (
    SELECT
      anon_3.id,
      anon_3.place
    FROM before
    JOIN LATERAL (
      SELECT
        tasks.id,
        coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS place
      FROM tasks
      WHERE
        tasks.user_id = before.user_id AND tasks.id <> before.id AND tasks.list_id = before.target
      ORDER BY
        tasks.list_id,
        coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000),
        tasks.id
      LIMIT 1::INT
    ) AS anon_3
      ON TRUE
    WHERE
      :goes_first AND before.target IS NOT NULL
    UNION ALL
    SELECT
      anon_4.id,
      anon_4.place
    FROM before
    JOIN LATERAL (
      SELECT
        tasks.id,
        coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS place
      FROM tasks
      WHERE
        tasks.user_id = before.user_id AND tasks.id <> before.id AND tasks.list_id IS NULL
      ORDER BY
        tasks.list_id,
        coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000),
        tasks.id
      LIMIT 1::INT
    ) AS anon_4
      ON TRUE
    WHERE
      :goes_first AND before.target IS NULL
  )
  UNION ALL
  (
    SELECT
      anon_5.id,
      anon_5.place
    FROM before
    JOIN anchor
      ON TRUE
    JOIN LATERAL (
      SELECT
        tasks.id,
        coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS place
      FROM tasks
      WHERE
        tasks.user_id = before.user_id
        AND tasks.id <> before.id
        AND tasks.list_id = before.target
        AND (
          coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000),
          tasks.id
        ) > (anchor.place, anchor.id)
      ORDER BY
        tasks.list_id,
        coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000),
        tasks.id
      LIMIT 1::INT
    ) AS anon_5
      ON TRUE
    WHERE
      NOT :goes_first AND NOT :goes_last AND before.target IS NOT NULL
    UNION ALL
    SELECT
      anon_6.id,
      anon_6.place
    FROM before
    JOIN anchor
      ON TRUE
    JOIN LATERAL (
      SELECT
        tasks.id,
        coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS place
      FROM tasks
      WHERE
        tasks.user_id = before.user_id
        AND tasks.id <> before.id
        AND tasks.list_id IS NULL
        AND (
          coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000),
          tasks.id
        ) > (anchor.place, anchor.id)
      ORDER BY
        tasks.list_id,
        coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000),
        tasks.id
      LIMIT 1::INT
    ) AS anon_6
      ON TRUE
    WHERE
      NOT :goes_first AND NOT :goes_last AND before.target IS NULL
  )
), gap AS (
  SELECT
    before.id,
    before.user_id,
    before.title,
    before.description,
    before.is_completed,
    before.status,
    before.completed_at,
    before.created_at,
    before.updated_at,
    before.version,
    before.list_id,
    before.due_date,
    before.due_time,
    before.due_at,
    before.due_time_zone,
    before.priority,
    before.position,
    before.place,
    before.target,
    before.now,
    before.conflict,
    before.matches,
    CAST(CAST(EXTRACT(EPOCH FROM before.now) * 1000000::INT AS BIGINT) AS DECIMAL) AS microseconds,
    previous.id AS previous_id,
    previous.place AS previous_place,
    following.id AS following_id,
    following.place AS following_place,
    trim_scale(
      coalesce(
        (
          coalesce(previous.place, greatest(following.place - 2000000::INT, 0::INT)) + following.place
        ) * 0.5,
        greatest(
          CAST(CAST(EXTRACT(EPOCH FROM before.now) * 1000000::INT AS BIGINT) AS DECIMAL),
          previous.place + 1::INT
        )
      )
    ) AS number
  FROM before
  LEFT OUTER JOIN previous
    ON TRUE
  LEFT OUTER JOIN following
    ON TRUE
), spot AS (
  SELECT
    gap.id,
    gap.user_id,
    gap.target,
    gap.now,
    gap.microseconds,
    gap.number,
    gap.previous_id,
    gap.previous_place,
    coalesce(gap.number <= gap.previous_place, FALSE)
    OR coalesce(gap.number >= gap.following_place, FALSE)
    OR scale(gap.number) > 230::INT
    OR gap.number >= '100000000000000000000' AS is_full,
    coalesce(
      gap.list_id IS NOT DISTINCT FROM gap.target
      AND (
        gap.id = :after::UUID
        OR coalesce((gap.place, gap.id) > (gap.previous_place, gap.previous_id), TRUE)
        AND coalesce((gap.place, gap.id) < (gap.following_place, gap.following_id), TRUE)
      ),
      FALSE
    ) AS stays,
    coalesce(
      gap.conflict,
      CASE
        WHEN (
          NOT :goes_first
          AND NOT :goes_last
          AND gap.previous_id IS NULL
          AND NOT (gap.id = :after::UUID AND gap.list_id IS NOT DISTINCT FROM gap.target)
        ) THEN 'after-not-found'::VARCHAR
        WHEN NOT gap.matches THEN 'version-mismatch'::VARCHAR
      END
    ) AS conflict
  FROM gap
), others AS (
  SELECT
    tasks.id,
    coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS place
  FROM tasks
  JOIN before
    ON TRUE
  WHERE
    tasks.user_id = before.user_id
    AND tasks.id <> before.id
    AND tasks.list_id = before.target
    AND before.target IS NOT NULL
  UNION ALL
  SELECT
    tasks.id,
    coalesce(tasks.position, EXTRACT(EPOCH FROM timezone('UTC', tasks.created_at)) * 1000000) AS place
  FROM tasks
  JOIN before
    ON TRUE
  WHERE
    tasks.user_id = before.user_id
    AND tasks.id <> before.id
    AND tasks.list_id IS NULL
    AND before.target IS NULL
), placed AS (
  SELECT
    spot.id,
    spot.number AS position,
    1::INT AS number,
    1::INT AS total
  FROM spot
  WHERE
    spot.conflict IS NULL AND NOT spot.stays AND NOT spot.is_full
  UNION ALL
  SELECT
    numbered.id,
    spot.microseconds - (numbered.total - numbered.number) * 1000000::INT AS position,
    numbered.number,
    numbered.total
  FROM (
    SELECT
      ranked.id,
      row_number() OVER (ORDER BY ranked.rank, ranked.place, ranked.id) AS number,
      count(*) OVER () AS total
    FROM (
      SELECT
        others.id,
        others.place,
        CASE
          WHEN coalesce((others.place, others.id) > (spot.previous_place, spot.previous_id), TRUE) THEN 2::INT
          ELSE 0::INT
        END AS rank
      FROM others
      JOIN spot
        ON TRUE
      UNION ALL
      SELECT
        spot.id,
        spot.number,
        1::INT AS anon_7
      FROM spot
    ) AS ranked
  ) AS numbered
  JOIN spot
    ON TRUE
  WHERE
    spot.conflict IS NULL AND NOT spot.stays AND spot.is_full
), raised AS (
  UPDATE owners SET
    counter = (
      owners.counter + greatest((
        SELECT
          count(*) AS count_1
        FROM placed
      ), 1::INT)
    )
  FROM spot
  WHERE
    owners.id = :current_user_id::UUID
    AND owners.id = spot.user_id
    AND (
      EXISTS(
        SELECT
          placed.id
        FROM placed
      )
    )
  RETURNING
    owners.id,
    owners.counter,
    spot.now,
    spot.target
), moved AS (
  UPDATE tasks SET
    updated_at = raised.now,
    version = ((raised.counter - placed.total) + placed.number),
    list_id = raised.target,
    position = placed.position
  FROM placed, raised
  WHERE
    tasks.id = ANY (
      array((
        SELECT
          placed.id
        FROM placed
      ))
    )
    AND tasks.id = placed.id
    AND tasks.user_id = raised.id
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
          task_labels.task_id = tasks.id AND labels.user_id = tasks.user_id
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
    raised.now
), done AS (
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
    moved.now
  FROM moved
  WHERE
    moved.id = :target_id::UUID
  UNION ALL
  SELECT
    before.id,
    before.user_id,
    before.title,
    before.description,
    before.is_completed,
    before.status,
    to_char(timezone('UTC', before.completed_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS completed_at,
    to_char(timezone('UTC', before.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
    to_char(timezone('UTC', before.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at,
    before.version,
    before.list_id,
    CASE
      WHEN (before.due_date IS NOT NULL) THEN json_build_object(
        'date',
        before.due_date,
        'time',
        to_char(before.due_time, 'HH24:MI'),
        'time_zone',
        before.due_time_zone,
        'at',
        to_char(timezone('UTC', before.due_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
      )
    END AS due,
    CASE before.priority WHEN 0 THEN 'none' WHEN 1 THEN 'low' WHEN 2 THEN 'medium' WHEN 3 THEN 'high' END AS priority,
    array(
      (
        SELECT
          labels.name
        FROM labels
        JOIN task_labels
          ON task_labels.label_id = labels.id
        WHERE
          task_labels.task_id = before.id AND labels.user_id = before.user_id
        ORDER BY
          labels.folded_name
      )
    ) AS labels,
    repeat(
      '0',
      20 - length(
        CAST(trunc(
          trim_scale(
            coalesce(before.position, EXTRACT(EPOCH FROM timezone('UTC', before.created_at)) * 1000000)
          )
        ) AS TEXT)
      )
    ) || CAST(trim_scale(
      coalesce(before.position, EXTRACT(EPOCH FROM timezone('UTC', before.created_at)) * 1000000)
    ) AS TEXT) AS position,
    before.now
  FROM before
  WHERE
    NOT (
      EXISTS(
        SELECT
          moved.id
        FROM moved
      )
    )
)
SELECT
  done.id,
  done.version,
  CAST((
    SELECT
      row_to_json(shown) AS row_to_json_1
    FROM (
      SELECT
        done.id,
        done.user_id,
        done.title,
        done.description,
        done.is_completed,
        done.status,
        done.completed_at,
        done.created_at,
        done.updated_at,
        done.version,
        done.list_id,
        done.due,
        done.priority,
        done.labels,
        done.position
      FROM done
    ) AS shown
  ) AS TEXT) AS response,
  spot.conflict
FROM done
JOIN spot
  ON TRUE;
