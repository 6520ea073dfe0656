import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    // Dates in words depend on where the user is.
    env: { TZ: "Europe/Berlin" },
  },
});
