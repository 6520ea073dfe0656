DELETE FROM users
WHERE
  users.id = :caller::UUID
RETURNING
  users.id;
