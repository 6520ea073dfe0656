WITH clock AS (
  SELECT
    clock_timestamp() AS now
)
INSERT INTO users (
  id,
  email,
  time_zone,
  auth_issuer,
  auth_subject,
  created_at,
  updated_at
)
SELECT
  :user_id::UUID AS anon_1,
  CASE
    WHEN (
      NOT (
        EXISTS(
          SELECT
            *
          FROM users AS others
          WHERE
            others.email = :claimed_email::VARCHAR AND others.id <> :user_id::UUID
        )
      )
    ) THEN :claimed_email::VARCHAR
  END AS anon_2,
  coalesce(:chosen_time_zone::VARCHAR, 'UTC'::VARCHAR) AS coalesce_1,
  :issuer::VARCHAR AS anon_3,
  :subject::VARCHAR AS anon_4,
  clock.now,
  clock.now AS now__1
FROM clock
ON CONFLICT (id) DO UPDATE SET
  email = CASE WHEN :keeps_email THEN users.email ELSE excluded.email END,
  time_zone = coalesce(:chosen_time_zone::VARCHAR, users.time_zone),
  auth_issuer = excluded.auth_issuer,
  auth_subject = excluded.auth_subject,
  updated_at = CASE
    WHEN (
      users.email IS DISTINCT FROM CASE WHEN :keeps_email THEN users.email ELSE excluded.email END
      OR users.time_zone IS DISTINCT FROM coalesce(:chosen_time_zone::VARCHAR, users.time_zone)
      OR users.auth_issuer IS DISTINCT FROM excluded.auth_issuer
      OR users.auth_subject IS DISTINCT FROM excluded.auth_subject
    ) THEN clock_timestamp()
    ELSE users.updated_at
  END
RETURNING
  users.id,
  users.email,
  users.time_zone,
  users.auth_issuer,
  users.auth_subject,
  to_char(timezone('UTC', users.created_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
  to_char(timezone('UTC', users.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at;
