WITH incoming AS (
  SELECT DISTINCT ON (
    CASE
      WHEN (
        file_id_holder.user_id IS DISTINCT FROM :current_user_id::UUID
        AND (
          file_id_holder.id IS NOT NULL
          OR renumbered_task.id IS NOT NULL
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
        file_id_holder.user_id IS DISTINCT FROM :current_user_id::UUID
        AND (
          file_id_holder.id IS NOT NULL
          OR renumbered_task.id IS NOT NULL
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
    file_id_holder.user_id IS DISTINCT FROM :current_user_id::UUID
    AND (
      file_id_holder.id IS NOT NULL
      OR renumbered_task.id IS NOT NULL
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
    ) AS is_renumbered,
    staged.line,
    staged.is_planned,
    staged.labels,
    NOT coalesce(staged.has_list, TRUE) AND staged.parent_id IS NOT NULL AS follows_parent,
    resolved_lists.id AS list_id,
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
    staged.recurrence_rule,
    staged.recurrence_from,
    staged.position
  FROM staged_tasks AS staged
  LEFT OUTER JOIN UNNEST(:file_list_ids::UUID[], :list_ids::UUID[]) AS resolved_lists(file_id, id)
    ON resolved_lists.file_id = staged.list_id
  LEFT OUTER JOIN tasks AS file_id_holder
    ON file_id_holder.id = staged.old_id
  LEFT OUTER JOIN tasks AS renumbered_task
    ON renumbered_task.id = staged.own_id
    AND renumbered_task.user_id IS NOT DISTINCT FROM :current_user_id::UUID
  WHERE
    staged.user_id = :current_user_id::UUID
    AND staged.import_id = :current_import_id::UUID
    AND staged.line BETWEEN :first_line::INT AND :last_line::INT
  ORDER BY
    CASE
      WHEN (
        file_id_holder.user_id IS DISTINCT FROM :current_user_id::UUID
        AND (
          file_id_holder.id IS NOT NULL
          OR renumbered_task.id IS NOT NULL
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
), incoming_labels AS (
  SELECT DISTINCT
    incoming.id AS task_id,
    resolved_labels.id AS label_id
  FROM incoming
  JOIN UNNEST(incoming.labels) AS names(folded_name)
    ON TRUE
  JOIN UNNEST(:label_names::TEXT[], :label_ids::UUID[]) AS resolved_labels(folded_name, id)
    ON resolved_labels.folded_name = names.folded_name
), label_ids_by_task AS (
  SELECT
    incoming_labels.task_id,
    array_agg(incoming_labels.label_id ORDER BY incoming_labels.label_id) AS label_ids
  FROM incoming_labels
  GROUP BY
    incoming_labels.task_id
), compared AS (
  SELECT
    incoming.id,
    incoming.line,
    incoming.is_renumbered,
    incoming.is_planned,
    current.id IS NULL AS is_new,
    (
      incoming.title,
      incoming.description,
      incoming.is_completed,
      incoming.completed_at,
      incoming.created_at,
      incoming.updated_at,
      CASE
        WHEN ((NOT incoming.is_planned OR incoming.follows_parent) AND current.id IS NOT NULL) THEN current.list_id
        ELSE incoming.list_id
      END,
      CASE
        WHEN (NOT incoming.is_planned AND current.id IS NOT NULL) THEN current.due_date
        ELSE incoming.due_date
      END,
      CASE
        WHEN (NOT incoming.is_planned AND current.id IS NOT NULL) THEN current.due_time
        ELSE incoming.due_time
      END,
      CASE
        WHEN (NOT incoming.is_planned AND current.id IS NOT NULL) THEN current.due_at
        ELSE incoming.due_at
      END,
      CASE
        WHEN (NOT incoming.is_planned AND current.id IS NOT NULL) THEN current.due_time_zone
        ELSE incoming.due_time_zone
      END,
      CASE
        WHEN (NOT incoming.is_planned AND current.id IS NOT NULL) THEN current.priority
        ELSE incoming.priority
      END,
      CASE
        WHEN (NOT incoming.is_planned AND current.id IS NOT NULL) THEN current.recurrence_rule
        ELSE incoming.recurrence_rule
      END,
      CASE
        WHEN (NOT incoming.is_planned AND current.id IS NOT NULL) THEN current.recurrence_from
        ELSE incoming.recurrence_from
      END,
      CASE
        WHEN (NOT incoming.is_planned AND current.id IS NOT NULL) THEN current.position
        ELSE incoming.position
      END
    ) IS DISTINCT FROM (
      current.title,
      current.description,
      current.is_completed,
      current.completed_at,
      current.created_at,
      current.updated_at,
      current.list_id,
      current.due_date,
      current.due_time,
      current.due_at,
      current.due_time_zone,
      current.priority,
      current.recurrence_rule,
      current.recurrence_from,
      current.position
    )
    OR incoming.is_planned
    AND coalesce(label_ids_by_task.label_ids, CAST('{}'::VARCHAR AS UUID[])) IS DISTINCT FROM array(
      (
        SELECT
          task_labels.label_id
        FROM task_labels
        WHERE
          task_labels.user_id = current.user_id AND task_labels.task_id = current.id
        ORDER BY
          task_labels.label_id
      )
    ) AS differs,
    incoming.title,
    incoming.description,
    incoming.is_completed,
    incoming.completed_at,
    incoming.created_at,
    incoming.updated_at,
    CASE
      WHEN ((NOT incoming.is_planned OR incoming.follows_parent) AND current.id IS NOT NULL) THEN current.list_id
      ELSE incoming.list_id
    END AS list_id,
    CASE
      WHEN (NOT incoming.is_planned AND current.id IS NOT NULL) THEN current.due_date
      ELSE incoming.due_date
    END AS due_date,
    CASE
      WHEN (NOT incoming.is_planned AND current.id IS NOT NULL) THEN current.due_time
      ELSE incoming.due_time
    END AS due_time,
    CASE
      WHEN (NOT incoming.is_planned AND current.id IS NOT NULL) THEN current.due_at
      ELSE incoming.due_at
    END AS due_at,
    CASE
      WHEN (NOT incoming.is_planned AND current.id IS NOT NULL) THEN current.due_time_zone
      ELSE incoming.due_time_zone
    END AS due_time_zone,
    CASE
      WHEN (NOT incoming.is_planned AND current.id IS NOT NULL) THEN current.priority
      ELSE incoming.priority
    END AS priority,
    CASE
      WHEN (NOT incoming.is_planned AND current.id IS NOT NULL) THEN current.recurrence_rule
      ELSE incoming.recurrence_rule
    END AS recurrence_rule,
    CASE
      WHEN (NOT incoming.is_planned AND current.id IS NOT NULL) THEN current.recurrence_from
      ELSE incoming.recurrence_from
    END AS recurrence_from,
    CASE
      WHEN (NOT incoming.is_planned AND current.id IS NOT NULL) THEN current.position
      ELSE incoming.position
    END AS position
  FROM incoming
  LEFT OUTER JOIN tasks AS current
    ON current.id = incoming.id AND current.user_id IS NOT DISTINCT FROM :current_user_id::UUID
  LEFT OUTER JOIN label_ids_by_task
    ON label_ids_by_task.task_id = incoming.id
), versioned AS (
  SELECT
    compared.id,
    owners.id AS user_id,
    owners.counter + row_number() OVER (ORDER BY compared.line) AS version,
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
    compared.recurrence_rule,
    compared.recurrence_from,
    compared.position
  FROM compared
  JOIN owners
    ON owners.id = :current_user_id::UUID
  WHERE
    compared.differs
  ORDER BY
    compared.line
), upserted AS (
  INSERT INTO tasks (
    id,
    user_id,
    version,
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
    recurrence_rule,
    recurrence_from,
    position
  )
  SELECT
    versioned.id,
    versioned.user_id,
    versioned.version,
    versioned.title,
    versioned.description,
    versioned.is_completed,
    versioned.completed_at,
    versioned.created_at,
    versioned.updated_at,
    versioned.list_id,
    versioned.due_date,
    versioned.due_time,
    versioned.due_at,
    versioned.due_time_zone,
    versioned.priority,
    versioned.recurrence_rule,
    versioned.recurrence_from,
    versioned.position
  FROM versioned
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
    position = excluded.position,
    recurrence_rule = excluded.recurrence_rule,
    recurrence_from = excluded.recurrence_from,
    made_version = NULL,
    made_subtask_count = NULL
  WHERE
    tasks.user_id = excluded.user_id
  RETURNING
    tasks.user_id,
    tasks.id
), deleted_tombstones AS (
  DELETE FROM task_tombstones USING   upserted
  WHERE
    task_tombstones.user_id = :current_user_id::UUID
    AND task_tombstones.id = upserted.id
    AND task_tombstones.kind = 'task'::VARCHAR
), added_labels AS (
  INSERT INTO task_labels (
    user_id,
    task_id,
    label_id
  )
  SELECT
    :current_user_id::UUID AS anon_1,
    incoming_labels.task_id,
    incoming_labels.label_id
  FROM incoming_labels
  JOIN upserted
    ON upserted.id = incoming_labels.task_id
  ON CONFLICT DO NOTHING
), removed_labels AS (
  DELETE FROM task_labels
  WHERE
    (task_labels.user_id, task_labels.task_id) IN (
      SELECT
        upserted.user_id,
        upserted.id
      FROM upserted
      JOIN compared
        ON upserted.id = compared.id
      WHERE
        compared.is_planned
    )
    AND NOT (
      EXISTS(
        SELECT
          *
        FROM incoming_labels
        WHERE
          incoming_labels.task_id = task_labels.task_id
          AND incoming_labels.label_id = task_labels.label_id
      )
    )
), counts AS (
  SELECT
    :current_user_id::UUID AS user_id,
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
      compared.is_renumbered) AS renumbered,
    (
      count(*) FILTER(WHERE
        compared.differs)
    ) - (
      SELECT
        count(*) AS count_1
      FROM upserted
    ) AS id_conflicts
  FROM compared
), updated_owner AS (
  UPDATE owners SET
    counter = (owners.counter + counts.created + counts.updated),
    task_count = (owners.task_count + counts.created)
  FROM counts
  WHERE
    owners.id = counts.user_id
  RETURNING
    owners.task_count
)
SELECT
  counts.user_id,
  counts.created,
  counts.updated,
  counts.unchanged,
  counts.renumbered,
  counts.id_conflicts,
  updated_owner.task_count
FROM counts
JOIN updated_owner
  ON TRUE;
