import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { expect, test, vi } from "vitest";

/** Scripts that every start fetches, gzipped: the app, and the page of a signed-in user. */
const START_BYTES_MAX = 150_000;

test("the app starts without what only some pages need", async () => {
  // Else React would come with what helps only its developers.
  vi.stubEnv("NODE_ENV", "production");
  const root = fileURLToPath(new URL("..", import.meta.url));
  const result = await build({ root, logLevel: "silent", build: { write: false } });
  if (!("output" in result)) throw new Error("Vite watches instead of building.");

  let startBytes = 0;
  let laterCode = "";
  for (const file of result.output) {
    if (file.type !== "chunk") continue;
    if (!["app", "workspace"].includes(file.name)) laterCode += file.code;
    else startBytes += gzipSync(file.code).length;
  }
  // The library that computes dates is fetched with the details of a repeating task.
  expect(laterCode).toContain("BYWEEKNO");
  expect(startBytes).toBeGreaterThan(0);
  expect(startBytes).toBeLessThanOrEqual(START_BYTES_MAX);
});
