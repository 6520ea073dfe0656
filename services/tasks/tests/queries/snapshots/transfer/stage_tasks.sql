WITH upserted AS (
  INSERT INTO staged_tasks (
    user_id,
    import_id,
    old_id,
    line,
    own_id,
    title,
    description,
    is_completed,
    completed_at,
    created_at,
    updated_at,
    is_planned,
    list_id,
    due_date,
    due_time,
    due_at,
    due_time_zone,
    priority,
    position,
    labels
  )
  SELECT
    :current_user_id::UUID AS anon_1,
    :current_import_id::UUID AS anon_2,
    sent.old_id,
    sent.line,
    sent.own_id,
    sent.title,
    sent.description,
    sent.is_completed,
    sent.completed_at,
    sent.created_at,
    sent.updated_at,
    sent.is_planned,
    sent.list_id,
    sent.due_date,
    sent.due_time,
    sent.due_at,
    sent.due_time_zone,
    sent.priority,
    sent.position,
    sent.labels
  FROM json_to_recordset(CAST(:content::VARCHAR AS JSON)) AS sent(
    old_id UUID,
    line INT,
    own_id UUID,
    title TEXT,
    description TEXT,
    is_completed BOOLEAN,
    completed_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ,
    updated_at TIMESTAMPTZ,
    is_planned BOOLEAN,
    list_id UUID,
    due_date DATE,
    due_time TIME,
    due_at TIMESTAMPTZ,
    due_time_zone TEXT,
    priority SMALLINT,
    position DECIMAL,
    labels TEXT[]
  )
  ON CONFLICT (user_id, import_id, old_id) DO UPDATE SET
    line = excluded.line,
    own_id = excluded.own_id,
    title = excluded.title,
    description = excluded.description,
    is_completed = excluded.is_completed,
    completed_at = excluded.completed_at,
    created_at = excluded.created_at,
    updated_at = excluded.updated_at,
    is_planned = excluded.is_planned,
    list_id = excluded.list_id,
    due_date = excluded.due_date,
    due_time = excluded.due_time,
    due_at = excluded.due_at,
    due_time_zone = excluded.due_time_zone,
    priority = excluded.priority,
    position = excluded.position,
    labels = excluded.labels
  RETURNING
    CAST(xmax AS TEXT) = '0'::VARCHAR AS is_new
)
SELECT
  count(*) FILTER(WHERE
    upserted.is_new) AS added
FROM upserted;
