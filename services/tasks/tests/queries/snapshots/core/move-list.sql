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
), before AS (
  SELECT
    task_lists.id,
    task_lists.user_id,
    task_lists.name,
    task_lists.folded_name,
    task_lists.position,
    task_lists.created_at,
    task_lists.updated_at,
    task_lists.version,
    coalesce(task_lists.position, EXTRACT(EPOCH FROM timezone('UTC', task_lists.created_at)) * 1000000) AS place,
    NULL::UUID AS target,
    owner.now,
    CASE WHEN NOT owner.is_current THEN 'stale'::VARCHAR WHEN FALSE THEN 'list-not-found'::VARCHAR END AS conflict,
    :if_match::TEXT[] IS NULL OR CAST(task_lists.version AS TEXT) = ANY (:if_match::TEXT[]) AS matches
  FROM task_lists
  JOIN owner
    ON task_lists.user_id = owner.id
  WHERE
    task_lists.id = :target_id::UUID
    FOR UPDATE OF task_lists
), anchor AS (
  SELECT
    task_lists.id,
    coalesce(task_lists.position, EXTRACT(EPOCH FROM timezone('UTC', task_lists.created_at)) * 1000000) AS place
  FROM task_lists
  JOIN before
    ON task_lists.user_id = before.user_id AND task_lists.id <> before.id
  WHERE
    task_lists.id = :after::UUID AND NOT :goes_first AND NOT :goes_last
), previous AS (
  (
    SELECT
      anon_1.id,
      anon_1.place
    FROM before
    JOIN LATERAL (
      SELECT
        task_lists.id,
        coalesce(task_lists.position, EXTRACT(EPOCH FROM timezone('UTC', task_lists.created_at)) * 1000000) AS place
      FROM task_lists
      WHERE
        task_lists.user_id = before.user_id AND task_lists.id <> before.id
      ORDER BY
        coalesce(task_lists.position, EXTRACT(EPOCH FROM timezone('UTC', task_lists.created_at)) * 1000000) DESC,
        task_lists.id DESC
      LIMIT 1::INT
    ) AS anon_1
      ON TRUE
    WHERE
      :goes_last
  )
  UNION ALL
  SELECT
    anchor.id,
    anchor.place
  FROM anchor
), following AS (
  (
    SELECT
      anon_2.id,
      anon_2.place
    FROM before
    JOIN LATERAL (
      SELECT
        task_lists.id,
        coalesce(task_lists.position, EXTRACT(EPOCH FROM timezone('UTC', task_lists.created_at)) * 1000000) AS place
      FROM task_lists
      WHERE
        task_lists.user_id = before.user_id AND task_lists.id <> before.id
      ORDER BY
        coalesce(task_lists.position, EXTRACT(EPOCH FROM timezone('UTC', task_lists.created_at)) * 1000000),
        task_lists.id
      LIMIT 1::INT
    ) AS anon_2
      ON TRUE
    WHERE
      :goes_first
  )
  UNION ALL
  (
    SELECT
      anon_3.id,
      anon_3.place
    FROM before
    JOIN anchor
      ON TRUE
    JOIN LATERAL (
      SELECT
        task_lists.id,
        coalesce(task_lists.position, EXTRACT(EPOCH FROM timezone('UTC', task_lists.created_at)) * 1000000) AS place
      FROM task_lists
      WHERE
        task_lists.user_id = before.user_id
        AND task_lists.id <> before.id
        AND (
          coalesce(task_lists.position, EXTRACT(EPOCH FROM timezone('UTC', task_lists.created_at)) * 1000000),
          task_lists.id
        ) > (anchor.place, anchor.id)
      ORDER BY
        coalesce(task_lists.position, EXTRACT(EPOCH FROM timezone('UTC', task_lists.created_at)) * 1000000),
        task_lists.id
      LIMIT 1::INT
    ) AS anon_3
      ON TRUE
    WHERE
      NOT :goes_first AND NOT :goes_last
  )
), gap AS (
  SELECT
    before.id,
    before.user_id,
    before.name,
    before.folded_name,
    before.position,
    before.created_at,
    before.updated_at,
    before.version,
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
      gap.id = :after::UUID
      OR coalesce((gap.place, gap.id) > (gap.previous_place, gap.previous_id), TRUE)
      AND coalesce((gap.place, gap.id) < (gap.following_place, gap.following_id), TRUE),
      FALSE
    ) AS stays,
    coalesce(
      gap.conflict,
      CASE
        WHEN (
          NOT :goes_first AND NOT :goes_last AND gap.previous_id IS NULL AND gap.id <> :after::UUID
        ) THEN 'after-not-found'::VARCHAR
        WHEN NOT gap.matches THEN 'version-mismatch'::VARCHAR
      END
    ) AS conflict
  FROM gap
), others AS (
  SELECT
    task_lists.id,
    coalesce(task_lists.position, EXTRACT(EPOCH FROM timezone('UTC', task_lists.created_at)) * 1000000) AS place
  FROM task_lists
  JOIN before
    ON TRUE
  WHERE
    task_lists.user_id = before.user_id AND task_lists.id <> before.id
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
        1::INT AS anon_4
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
  UPDATE task_lists SET
    position = placed.position,
    updated_at = raised.now,
    version = ((raised.counter - placed.total) + placed.number)
  FROM placed, raised
  WHERE
    task_lists.id = ANY (
      array((
        SELECT
          placed.id
        FROM placed
      ))
    )
    AND task_lists.id = placed.id
    AND task_lists.user_id = raised.id
  RETURNING
    task_lists.id,
    task_lists.user_id,
    task_lists.name,
    repeat(
      '0',
      20 - length(
        CAST(trunc(
          trim_scale(
            coalesce(task_lists.position, EXTRACT(EPOCH FROM timezone('UTC', task_lists.created_at)) * 1000000)
          )
        ) AS TEXT)
      )
    ) || CAST(trim_scale(
      coalesce(task_lists.position, EXTRACT(EPOCH FROM timezone('UTC', task_lists.created_at)) * 1000000)
    ) AS TEXT) AS position,
    task_lists.version,
    to_char(timezone('UTC', task_lists.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
    to_char(timezone('UTC', task_lists.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at,
    raised.now
), done AS (
  SELECT
    moved.id,
    moved.user_id,
    moved.name,
    moved.position,
    moved.version,
    moved.created_at,
    moved.updated_at,
    moved.now
  FROM moved
  WHERE
    moved.id = :target_id::UUID
  UNION ALL
  SELECT
    before.id,
    before.user_id,
    before.name,
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
    before.version,
    to_char(timezone('UTC', before.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
    to_char(timezone('UTC', before.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at,
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
        done.name,
        done.position,
        done.version,
        done.created_at,
        done.updated_at
      FROM done
    ) AS shown
  ) AS TEXT) AS response,
  spot.conflict
FROM done
JOIN spot
  ON TRUE;
