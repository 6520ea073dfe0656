SELECT
  labels.id,
  labels.user_id,
  labels.name,
  labels.version,
  to_char(timezone('UTC', labels.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
  to_char(timezone('UTC', labels.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at
FROM labels
WHERE
  labels.id = :target_id::UUID AND labels.user_id = :current_user_id::UUID;
