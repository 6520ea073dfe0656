import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { expect, test } from "vitest";

const CORE_BYTES_MAX = 8000;

test("the core is at most 8 kB, bundled with all it needs, minified and gzipped", async () => {
  const folder = fileURLToPath(new URL("..", import.meta.url));
  const input = fileURLToPath(new URL("../src/index.ts", import.meta.url));

  const result = await build({
    root: folder,
    configFile: false,
    logLevel: "silent",
    build: {
      write: false,
      modulePreload: false,
      rolldownOptions: { input, preserveEntrySignatures: "strict" },
    },
  });

  if (!("output" in result)) throw new Error("Vite watches instead of building.");
  const codes = result.output.map((file) => (file.type === "chunk" ? file.code : ""));
  const code = codes.join("");
  expect(code).toContain("Idempotency-Key");
  expect(gzipSync(code).length).toBeLessThanOrEqual(CORE_BYTES_MAX);
});
