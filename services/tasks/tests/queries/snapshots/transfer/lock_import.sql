SELECT
  owners.counter,
  (
    EXISTS(
      SELECT
        *
      FROM tasks
      WHERE
        tasks.user_id = :current_user_id::UUID AND tasks.parent_id IS NOT NULL
    )
  )
  OR (
    EXISTS(
      SELECT
        *
      FROM tasks
      WHERE
        tasks.user_id = :current_user_id::UUID AND tasks.previous_id IS NOT NULL
    )
  ) AS has_links
FROM owners
JOIN imports
  ON imports.user_id = owners.id
WHERE
  imports.user_id = :current_user_id::UUID AND imports.id = :current_import_id::UUID
  FOR UPDATE OF imports;
