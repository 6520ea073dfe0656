INSERT INTO imports (
  id,
  user_id,
  begun_at
)
SELECT
  :current_import_id::UUID AS anon_1,
  owners.id,
  clock_timestamp() AS clock_timestamp_1
FROM owners
WHERE
  owners.id = :current_user_id::UUID
ON CONFLICT (id) DO UPDATE SET
  begun_at = excluded.begun_at
RETURNING
  imports.id;
