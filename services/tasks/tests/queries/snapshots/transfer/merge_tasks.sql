WITH chosen AS (
  SELECT DISTINCT ON (
    CASE
      WHEN (
        held.user_id IS DISTINCT FROM :current_user_id::UUID
        AND (
          held.id IS NOT NULL
          OR own.id IS NOT NULL
          OR (
            EXISTS(
              SELECT
                *
              FROM task_tombstones
              WHERE
                task_tombstones.user_id = :current_user_id::UUID
                AND task_tombstones.id = staged.old_id
                AND task_tombstones.kind <> 'task'::VARCHAR
            )
          )
          OR (
            EXISTS(
              SELECT
                *
              FROM task_lists
              WHERE
                task_lists.user_id = :current_user_id::UUID AND task_lists.id = staged.old_id
            )
          )
          OR (
            EXISTS(
              SELECT
                *
              FROM labels
              WHERE
                labels.user_id = :current_user_id::UUID AND labels.id = staged.old_id
            )
          )
        )
      ) THEN staged.own_id
      ELSE staged.old_id
    END
  )
    CASE
      WHEN (
        held.user_id IS DISTINCT FROM :current_user_id::UUID
        AND (
          held.id IS NOT NULL
          OR own.id IS NOT NULL
          OR (
            EXISTS(
              SELECT
                *
              FROM task_tombstones
              WHERE
                task_tombstones.user_id = :current_user_id::UUID
                AND task_tombstones.id = staged.old_id
                AND task_tombstones.kind <> 'task'::VARCHAR
            )
          )
          OR (
            EXISTS(
              SELECT
                *
              FROM task_lists
              WHERE
                task_lists.user_id = :current_user_id::UUID AND task_lists.id = staged.old_id
            )
          )
          OR (
            EXISTS(
              SELECT
                *
              FROM labels
              WHERE
                labels.user_id = :current_user_id::UUID AND labels.id = staged.old_id
            )
          )
        )
      ) THEN staged.own_id
      ELSE staged.old_id
    END AS id,
    held.user_id IS DISTINCT FROM :current_user_id::UUID
    AND (
      held.id IS NOT NULL
      OR own.id IS NOT NULL
      OR (
        EXISTS(
          SELECT
            *
          FROM task_tombstones
          WHERE
            task_tombstones.user_id = :current_user_id::UUID
            AND task_tombstones.id = staged.old_id
            AND task_tombstones.kind <> 'task'::VARCHAR
        )
      )
      OR (
        EXISTS(
          SELECT
            *
          FROM task_lists
          WHERE
            task_lists.user_id = :current_user_id::UUID AND task_lists.id = staged.old_id
        )
      )
      OR (
        EXISTS(
          SELECT
            *
          FROM labels
          WHERE
            labels.user_id = :current_user_id::UUID AND labels.id = staged.old_id
        )
      )
    ) AS renumbered,
    staged.line,
    staged.title,
    staged.description,
    staged.is_completed,
    staged.completed_at,
    staged.created_at,
    staged.updated_at,
    staged.due_date,
    staged.due_time,
    staged.due_at,
    staged.due_time_zone,
    staged.priority,
    staged.position,
    staged.is_planned,
    staged.labels,
    anon_1.new_id AS list_id
  FROM staged_tasks AS staged
  LEFT OUTER JOIN UNNEST(:old_list_ids::UUID[], :new_list_ids::UUID[]) AS anon_1(old_id, new_id)
    ON staged.list_id = anon_1.old_id
  LEFT OUTER JOIN tasks AS held
    ON held.id = staged.old_id
  LEFT OUTER JOIN tasks AS own
    ON own.id = staged.own_id AND own.user_id = :current_user_id::UUID
  WHERE
    staged.user_id = :current_user_id::UUID
    AND staged.import_id = :this_import::UUID
    AND staged.line BETWEEN :first_line::INT AND :last_line::INT
  ORDER BY
    CASE
      WHEN (
        held.user_id IS DISTINCT FROM :current_user_id::UUID
        AND (
          held.id IS NOT NULL
          OR own.id IS NOT NULL
          OR (
            EXISTS(
              SELECT
                *
              FROM task_tombstones
              WHERE
                task_tombstones.user_id = :current_user_id::UUID
                AND task_tombstones.id = staged.old_id
                AND task_tombstones.kind <> 'task'::VARCHAR
            )
          )
          OR (
            EXISTS(
              SELECT
                *
              FROM task_lists
              WHERE
                task_lists.user_id = :current_user_id::UUID AND task_lists.id = staged.old_id
            )
          )
          OR (
            EXISTS(
              SELECT
                *
              FROM labels
              WHERE
                labels.user_id = :current_user_id::UUID AND labels.id = staged.old_id
            )
          )
        )
      ) THEN staged.own_id
      ELSE staged.old_id
    END,
    staged.line DESC
), links AS (
  SELECT DISTINCT
    chosen.id AS task_id,
    anon_2.id AS label_id
  FROM chosen
  JOIN UNNEST(chosen.labels) AS anon_3(name)
    ON TRUE
  JOIN UNNEST(:label_names::TEXT[], :label_ids::UUID[]) AS anon_2(name, id)
    ON anon_2.name = anon_3.name
), wanted AS (
  SELECT
    links.task_id,
    array_agg(links.label_id ORDER BY links.label_id) AS label_ids
  FROM links
  GROUP BY
    links.task_id
), compared AS (
  SELECT
    chosen.id,
    chosen.line,
    chosen.renumbered,
    chosen.is_planned,
    chosen.title,
    chosen.description,
    chosen.is_completed,
    chosen.completed_at,
    chosen.created_at,
    chosen.updated_at,
    CASE
      WHEN (NOT chosen.is_planned AND standing.id IS NOT NULL) THEN standing.list_id
      ELSE chosen.list_id
    END AS list_id,
    CASE
      WHEN (NOT chosen.is_planned AND standing.id IS NOT NULL) THEN standing.due_date
      ELSE chosen.due_date
    END AS due_date,
    CASE
      WHEN (NOT chosen.is_planned AND standing.id IS NOT NULL) THEN standing.due_time
      ELSE chosen.due_time
    END AS due_time,
    CASE
      WHEN (NOT chosen.is_planned AND standing.id IS NOT NULL) THEN standing.due_at
      ELSE chosen.due_at
    END AS due_at,
    CASE
      WHEN (NOT chosen.is_planned AND standing.id IS NOT NULL) THEN standing.due_time_zone
      ELSE chosen.due_time_zone
    END AS due_time_zone,
    CASE
      WHEN (NOT chosen.is_planned AND standing.id IS NOT NULL) THEN standing.priority
      ELSE chosen.priority
    END AS priority,
    CASE
      WHEN (NOT chosen.is_planned AND standing.id IS NOT NULL) THEN standing.position
      ELSE chosen.position
    END AS position,
    standing.id IS NULL AS is_new,
    (
      chosen.title,
      chosen.description,
      chosen.is_completed,
      chosen.completed_at,
      chosen.created_at,
      chosen.updated_at,
      CASE
        WHEN (NOT chosen.is_planned AND standing.id IS NOT NULL) THEN standing.list_id
        ELSE chosen.list_id
      END,
      CASE
        WHEN (NOT chosen.is_planned AND standing.id IS NOT NULL) THEN standing.due_date
        ELSE chosen.due_date
      END,
      CASE
        WHEN (NOT chosen.is_planned AND standing.id IS NOT NULL) THEN standing.due_time
        ELSE chosen.due_time
      END,
      CASE
        WHEN (NOT chosen.is_planned AND standing.id IS NOT NULL) THEN standing.due_at
        ELSE chosen.due_at
      END,
      CASE
        WHEN (NOT chosen.is_planned AND standing.id IS NOT NULL) THEN standing.due_time_zone
        ELSE chosen.due_time_zone
      END,
      CASE
        WHEN (NOT chosen.is_planned AND standing.id IS NOT NULL) THEN standing.priority
        ELSE chosen.priority
      END,
      CASE
        WHEN (NOT chosen.is_planned AND standing.id IS NOT NULL) THEN standing.position
        ELSE chosen.position
      END
    ) IS DISTINCT FROM (
      standing.title,
      standing.description,
      standing.is_completed,
      standing.completed_at,
      standing.created_at,
      standing.updated_at,
      standing.list_id,
      standing.due_date,
      standing.due_time,
      standing.due_at,
      standing.due_time_zone,
      standing.priority,
      standing.position
    )
    OR chosen.is_planned
    AND coalesce(wanted.label_ids, CAST('{}'::VARCHAR AS UUID[])) IS DISTINCT FROM array(
      (
        SELECT
          task_labels.label_id
        FROM task_labels
        WHERE
          task_labels.task_id = standing.id
        ORDER BY
          task_labels.label_id
      )
    ) AS differs
  FROM chosen
  LEFT OUTER JOIN tasks AS standing
    ON standing.id = chosen.id AND standing.user_id = :current_user_id::UUID
  LEFT OUTER JOIN wanted
    ON wanted.task_id = chosen.id
), numbered AS (
  SELECT
    compared.id,
    owners.id AS user_id,
    compared.title,
    compared.description,
    compared.is_completed,
    compared.completed_at,
    compared.created_at,
    compared.updated_at,
    compared.list_id,
    compared.due_date,
    compared.due_time,
    compared.due_at,
    compared.due_time_zone,
    compared.priority,
    compared.position,
    owners.counter + row_number() OVER (ORDER BY compared.line) AS version
  FROM compared
  JOIN owners
    ON owners.id = :current_user_id::UUID
  WHERE
    compared.differs
  ORDER BY
    compared.line
), merged AS (
  INSERT INTO tasks (
    id,
    user_id,
    title,
    description,
    is_completed,
    completed_at,
    created_at,
    updated_at,
    list_id,
    due_date,
    due_time,
    due_at,
    due_time_zone,
    priority,
    position,
    version
  )
  SELECT
    numbered.id,
    numbered.user_id,
    numbered.title,
    numbered.description,
    numbered.is_completed,
    numbered.completed_at,
    numbered.created_at,
    numbered.updated_at,
    numbered.list_id,
    numbered.due_date,
    numbered.due_time,
    numbered.due_at,
    numbered.due_time_zone,
    numbered.priority,
    numbered.position,
    numbered.version
  FROM numbered
  ON CONFLICT (id) DO UPDATE SET
    title = excluded.title,
    description = excluded.description,
    is_completed = excluded.is_completed,
    completed_at = excluded.completed_at,
    created_at = excluded.created_at,
    updated_at = excluded.updated_at,
    version = excluded.version,
    list_id = excluded.list_id,
    due_date = excluded.due_date,
    due_time = excluded.due_time,
    due_at = excluded.due_at,
    due_time_zone = excluded.due_time_zone,
    priority = excluded.priority,
    position = excluded.position
  WHERE
    tasks.user_id = excluded.user_id
  RETURNING
    tasks.id
), undone AS (
  DELETE FROM task_tombstones USING   merged
  WHERE
    task_tombstones.user_id = :current_user_id::UUID
    AND task_tombstones.id = merged.id
    AND task_tombstones.kind = 'task'::VARCHAR
), linked AS (
  INSERT INTO task_labels (
    user_id,
    task_id,
    label_id
  )
  SELECT
    :current_user_id::UUID AS anon_4,
    links.task_id,
    links.label_id
  FROM links
  JOIN merged
    ON merged.id = links.task_id
  ON CONFLICT DO NOTHING
), unlinked AS (
  DELETE FROM task_labels
  WHERE
    task_labels.user_id = :current_user_id::UUID
    AND task_labels.task_id IN (
      SELECT
        compared.id
      FROM compared
      JOIN merged
        ON merged.id = compared.id
      WHERE
        compared.is_planned
    )
    AND NOT (
      EXISTS(
        SELECT
          *
        FROM links
        WHERE
          task_labels.task_id = links.task_id AND task_labels.label_id = links.label_id
      )
    )
), counts AS (
  SELECT
    :current_user_id::UUID AS owner,
    count(*) FILTER(WHERE
      compared.is_new) AS created,
    (
      count(*) FILTER(WHERE
        compared.differs)
    ) - (
      count(*) FILTER(WHERE
        compared.is_new)
    ) AS updated,
    count(*) - (
      count(*) FILTER(WHERE
        compared.differs)
    ) AS unchanged,
    count(*) FILTER(WHERE
      compared.renumbered) AS renumbered,
    (
      count(*) FILTER(WHERE
        compared.differs)
    ) - (
      SELECT
        count(*) AS count_1
      FROM merged
    ) AS lost
  FROM compared
), counted AS (
  UPDATE owners SET
    counter = (owners.counter + counts.created + counts.updated),
    task_count = (owners.task_count + counts.created)
  FROM counts
  WHERE
    owners.id = counts.owner
  RETURNING
    owners.task_count
)
SELECT
  counts.owner,
  counts.created,
  counts.updated,
  counts.unchanged,
  counts.renumbered,
  counts.lost,
  counted.task_count
FROM counts
JOIN counted
  ON TRUE;
