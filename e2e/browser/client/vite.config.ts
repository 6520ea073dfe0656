import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

/** Build from the package's sources, so that a test needs no earlier build. */
const packageSource = fileURLToPath(
  new URL("../../../clients/typescript/src/index.ts", import.meta.url),
);

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  resolve: { alias: { "@task-platform/client": packageSource } },
  define: { "process.env.NODE_ENV": JSON.stringify("production") },
  build: {
    emptyOutDir: false,
    lib: { entry: "client.ts", formats: ["iife"], name: "testClient", fileName: () => "client.js" },
  },
});
