import { defineConfig } from "vitest/config";

// The tests wait for a real platform, on machines that may be busy with other things.
export default defineConfig({ test: { testTimeout: 60_000, hookTimeout: 60_000 } });
