SELECT
  owners.counter,
  labels_of_owner.id,
  labels_of_owner.user_id,
  labels_of_owner.name,
  labels_of_owner.version,
  labels_of_owner.created_at,
  labels_of_owner.updated_at,
  labels_of_owner.task_count
FROM owners
LEFT OUTER JOIN LATERAL (
  SELECT
    labels.id,
    labels.user_id,
    labels.name,
    labels.version,
    to_char(timezone('UTC', labels.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
    to_char(timezone('UTC', labels.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at,
    (
      SELECT
        count(*) AS count_1
      FROM task_labels
      WHERE
        task_labels.user_id = labels.user_id AND task_labels.label_id = labels.id
    ) AS task_count
  FROM labels
  WHERE
    labels.user_id = owners.id
    AND CAST(owners.counter AS TEXT) <> ALL(:if_none_match::TEXT[])
  ORDER BY
    labels.folded_name
) AS labels_of_owner
  ON TRUE
WHERE
  owners.id = :current_user_id::UUID;
