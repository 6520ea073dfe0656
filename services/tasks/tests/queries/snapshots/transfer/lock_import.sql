SELECT
  imports.id
FROM imports
WHERE
  imports.user_id = :current_user_id::UUID AND imports.id = :current_import_id::UUID
  FOR UPDATE;
