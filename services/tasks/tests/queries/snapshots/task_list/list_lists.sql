SELECT
  owners.counter,
  lists_of_owner.id,
  lists_of_owner.user_id,
  lists_of_owner.name,
  lists_of_owner.position,
  lists_of_owner.version,
  lists_of_owner.created_at,
  lists_of_owner.updated_at
FROM owners
LEFT OUTER JOIN LATERAL (
  SELECT
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
    to_char(timezone('UTC', task_lists.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at
  FROM task_lists
  WHERE
    task_lists.user_id = owners.id
    AND CAST(owners.counter AS TEXT) <> ALL(:if_none_match::TEXT[])
  ORDER BY
    coalesce(task_lists.position, EXTRACT(EPOCH FROM timezone('UTC', task_lists.created_at)) * 1000000),
    task_lists.id
) AS lists_of_owner
  ON TRUE
WHERE
  owners.id = :current_user_id::UUID;
