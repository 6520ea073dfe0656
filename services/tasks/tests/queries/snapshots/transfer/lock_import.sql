SELECT
  imports.id
FROM imports
WHERE
  imports.user_id = :current_user_id::UUID AND imports.id = :this_import::UUID
  FOR UPDATE;
