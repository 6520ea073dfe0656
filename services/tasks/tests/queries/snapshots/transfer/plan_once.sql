SELECT
  set_config('plan_cache_mode'::VARCHAR, 'force_generic_plan'::VARCHAR, TRUE) AS set_config_1;
