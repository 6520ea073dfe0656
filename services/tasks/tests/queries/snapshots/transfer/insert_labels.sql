WITH counter_bump AS (
  UPDATE owners SET
    counter = (owners.counter + cardinality(:ids::UUID[])),
    label_count = (owners.label_count + cardinality(:ids::UUID[]))
  WHERE
    owners.id = :current_user_id::UUID
  RETURNING
    owners.id,
    owners.counter,
    owners.label_count AS total,
    clock_timestamp() AS now
), inserted AS (
  INSERT INTO labels (
    user_id,
    version,
    id,
    name,
    folded_name,
    created_at,
    updated_at
  )
  SELECT
    counter_bump.id,
    (counter_bump.counter - cardinality(:ids::UUID[])) + sent.number AS anon_1,
    sent.id AS id_1,
    sent.name,
    sent.folded_name,
    coalesce(sent.created_at, counter_bump.now) AS coalesce_1,
    coalesce(sent.updated_at, counter_bump.now) AS coalesce_2
  FROM UNNEST(:ids::UUID[], :names::TEXT[], :folded_names::TEXT[], :positions::DECIMAL[], :created_ats::TIMESTAMPTZ[], :updated_ats::TIMESTAMPTZ[]) WITH ORDINALITY AS sent(id, name, folded_name, position, created_at, updated_at, number)
  JOIN counter_bump
    ON TRUE
  ON CONFLICT (id) DO NOTHING
  RETURNING
    labels.id
), deleted_tombstones AS (
  DELETE FROM task_tombstones USING   inserted
  WHERE
    task_tombstones.user_id = :current_user_id::UUID
    AND task_tombstones.id = inserted.id
    AND task_tombstones.kind = 'label'::VARCHAR
)
SELECT
  counter_bump.total,
  (
    SELECT
      count(*) AS count_1
    FROM inserted
  ) AS inserted
FROM counter_bump;
