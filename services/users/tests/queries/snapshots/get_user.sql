SELECT
  users.id,
  users.email,
  users.time_zone,
  users.auth_issuer,
  users.auth_subject,
  to_char(timezone('UTC', users.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
  to_char(timezone('UTC', users.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at
FROM users
WHERE
  users.id = :user_id::UUID
  AND users.auth_issuer = :issuer::VARCHAR
  AND users.auth_subject = :subject::VARCHAR
  AND (
    :keeps_email
    OR users.email IS NOT DISTINCT FROM :claimed_email::VARCHAR
    OR users.email IS NULL
    AND (
      EXISTS(
        SELECT
          *
        FROM users AS others
        WHERE
          others.email = :claimed_email::VARCHAR AND others.id <> :user_id::UUID
      )
    )
  );
