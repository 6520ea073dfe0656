DELETE FROM owners
WHERE
  owners.id = :current_user_id::UUID
RETURNING
  owners.id;
