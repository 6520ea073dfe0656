UPDATE owners SET
  counter = greatest(
    owners.counter + 1::BIGINT,
    CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000000::INT AS BIGINT)
  ),
  pruned_version = greatest(
    owners.counter + 1::BIGINT,
    CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000000::INT AS BIGINT)
  );
