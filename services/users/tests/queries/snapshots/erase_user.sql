DELETE FROM users
WHERE
  users.id = :user_id::UUID
RETURNING
  users.id;
