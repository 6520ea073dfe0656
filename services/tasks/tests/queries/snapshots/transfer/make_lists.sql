WITH raised AS (
  UPDATE owners SET
    counter = (owners.counter + cardinality(:ids::UUID[])),
    list_count = (owners.list_count + cardinality(:ids::UUID[]))
  WHERE
    owners.id = :current_user_id::UUID
  RETURNING
    owners.id,
    owners.counter,
    owners.list_count,
    clock_timestamp() AS now
), made AS (
  INSERT INTO task_lists (
    user_id,
    version,
    id,
    name,
    folded_name,
    position,
    created_at,
    updated_at
  )
  SELECT
    raised.id,
    (raised.counter - cardinality(:ids::UUID[])) + anon_2.number AS anon_1,
    anon_2.id AS id_1,
    anon_2.name,
    anon_2.folded_name,
    anon_2.position,
    coalesce(anon_2.created_at, raised.now) AS coalesce_1,
    coalesce(anon_2.updated_at, raised.now) AS coalesce_2
  FROM UNNEST(:ids::UUID[], :names::TEXT[], :folded_names::TEXT[], :positions::DECIMAL[], :created_ats::TIMESTAMPTZ[], :updated_ats::TIMESTAMPTZ[]) WITH ORDINALITY AS anon_2(id, name, folded_name, position, created_at, updated_at, number)
  JOIN raised
    ON TRUE
  ON CONFLICT (id) DO NOTHING
  RETURNING
    task_lists.id
), undone AS (
  DELETE FROM task_tombstones USING   made
  WHERE
    task_tombstones.user_id = :current_user_id::UUID
    AND task_tombstones.id = made.id
    AND task_tombstones.kind = 'list'::VARCHAR
)
SELECT
  raised.list_count AS held,
  (
    SELECT
      count(*) AS count_1
    FROM made
  ) AS made
FROM raised;
