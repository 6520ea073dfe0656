SELECT
  owners.id
FROM owners
WHERE
  owners.id = :current_user_id::UUID
  FOR NO KEY UPDATE;
