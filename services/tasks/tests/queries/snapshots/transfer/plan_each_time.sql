SELECT
  set_config('plan_cache_mode'::VARCHAR, 'force_custom_plan'::VARCHAR, TRUE) AS set_config_1;
