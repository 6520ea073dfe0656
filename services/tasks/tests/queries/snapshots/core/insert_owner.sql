WITH clock AS (
  SELECT
    clock_timestamp() AS now
)
INSERT INTO owners (
  id,
  counter,
  pruned_version,
  task_count,
  list_count,
  label_count,
  created_at
)
SELECT
  :current_user_id::UUID AS anon_1,
  CAST(EXTRACT(EPOCH FROM clock.now) * 1000000::INT AS BIGINT) AS anon_2,
  CAST(EXTRACT(EPOCH FROM clock.now) * 1000000::INT AS BIGINT) AS anon__1,
  0::INT AS anon_3,
  0::INT AS anon_4,
  0::INT AS anon_5,
  clock.now
FROM clock
ON CONFLICT DO NOTHING
RETURNING
  owners.id;
