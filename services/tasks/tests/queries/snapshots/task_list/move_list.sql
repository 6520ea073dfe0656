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
), current AS (
  SELECT
    task_lists.id,
    task_lists.user_id,
    task_lists.name,
    task_lists.folded_name,
    task_lists.position,
    task_lists.created_at,
    task_lists.updated_at,
    task_lists.version,
    coalesce(task_lists.position, EXTRACT(EPOCH FROM timezone('UTC', task_lists.created_at)) * 1000000) AS sort_position,
    NULL::UUID AS target_list_id,
    TRUE AS unchanged_list,
    owner.now,
    CASE WHEN NOT owner.is_current THEN 'stale'::VARCHAR END AS conflict,
    :if_match::TEXT[] IS NULL OR CAST(task_lists.version AS TEXT) = ANY (:if_match::TEXT[]) AS matches_if_match
  FROM task_lists
  JOIN owner
    ON task_lists.user_id = owner.id
  WHERE
    task_lists.id = :target_id::UUID
    FOR UPDATE OF task_lists
), anchor AS (
  SELECT
    task_lists.id,
    coalesce(task_lists.position, EXTRACT(EPOCH FROM timezone('UTC', task_lists.created_at)) * 1000000) AS sort_position
  FROM task_lists
  JOIN current
    ON task_lists.user_id = current.user_id AND task_lists.id <> current.id
  WHERE
    task_lists.id = :after::UUID AND NOT :to_start AND NOT :to_end
), preceding AS (
  SELECT
    sibling.id,
    sibling.sort_position
  FROM current
  JOIN LATERAL (
    SELECT
      task_lists.id,
      coalesce(task_lists.position, EXTRACT(EPOCH FROM timezone('UTC', task_lists.created_at)) * 1000000) AS sort_position
    FROM task_lists
    WHERE
      task_lists.user_id = current.user_id AND task_lists.id <> current.id
    ORDER BY
      coalesce(task_lists.position, EXTRACT(EPOCH FROM timezone('UTC', task_lists.created_at)) * 1000000) DESC,
      task_lists.id DESC
    LIMIT 1::INT
  ) AS sibling
    ON TRUE
  WHERE
    :to_end
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
      task_lists.id,
      coalesce(task_lists.position, EXTRACT(EPOCH FROM timezone('UTC', task_lists.created_at)) * 1000000) AS sort_position
    FROM task_lists
    WHERE
      task_lists.user_id = current.user_id AND task_lists.id <> current.id
    ORDER BY
      coalesce(task_lists.position, EXTRACT(EPOCH FROM timezone('UTC', task_lists.created_at)) * 1000000),
      task_lists.id
    LIMIT 1::INT
  ) AS sibling
    ON TRUE
  WHERE
    :to_start
  UNION ALL
  SELECT
    sibling.id,
    sibling.sort_position
  FROM current
  JOIN anchor
    ON TRUE
  JOIN LATERAL (
    SELECT
      task_lists.id,
      coalesce(task_lists.position, EXTRACT(EPOCH FROM timezone('UTC', task_lists.created_at)) * 1000000) AS sort_position
    FROM task_lists
    WHERE
      task_lists.user_id = current.user_id
      AND task_lists.id <> current.id
      AND (
        coalesce(task_lists.position, EXTRACT(EPOCH FROM timezone('UTC', task_lists.created_at)) * 1000000),
        task_lists.id
      ) > (anchor.sort_position, anchor.id)
    ORDER BY
      coalesce(task_lists.position, EXTRACT(EPOCH FROM timezone('UTC', task_lists.created_at)) * 1000000),
      task_lists.id
    LIMIT 1::INT
  ) AS sibling
    ON TRUE
  WHERE
    NOT :to_start AND NOT :to_end
), gap AS (
  SELECT
    current.id,
    current.user_id,
    current.name,
    current.folded_name,
    current.position,
    current.created_at,
    current.updated_at,
    current.version,
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
    task_lists.id,
    coalesce(task_lists.position, EXTRACT(EPOCH FROM timezone('UTC', task_lists.created_at)) * 1000000) AS sort_position
  FROM task_lists
  JOIN current
    ON TRUE
  WHERE
    task_lists.user_id = current.user_id AND task_lists.id <> current.id
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
), counter_bump AS (
  UPDATE owners SET
    counter = (
      owners.counter + greatest((
        SELECT
          count(*) AS count_1
        FROM placements
      ), 1::INT)
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
), updated AS (
  UPDATE task_lists SET
    position = placements.position,
    updated_at = counter_bump.now,
    version = ((counter_bump.counter - placements.total) + placements.number)
  FROM placements, counter_bump
  WHERE
    task_lists.id = ANY (
      array((
        SELECT
          placements.id
        FROM placements
      ))
    )
    AND task_lists.id = placements.id
    AND task_lists.user_id = counter_bump.id
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
    counter_bump.now
), moved AS (
  SELECT
    updated.id,
    updated.user_id,
    updated.name,
    updated.position,
    updated.version,
    updated.created_at,
    updated.updated_at,
    updated.now
  FROM updated
  WHERE
    updated.id = :target_id::UUID
  UNION ALL
  SELECT
    current.id,
    current.user_id,
    current.name,
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
    current.version,
    to_char(timezone('UTC', current.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
    to_char(timezone('UTC', current.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at,
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
        moved.name,
        moved.position,
        moved.version,
        moved.created_at,
        moved.updated_at
      FROM moved
    ) AS shown
  ) AS TEXT) AS response,
  slot.conflict
FROM moved
JOIN slot
  ON TRUE;
