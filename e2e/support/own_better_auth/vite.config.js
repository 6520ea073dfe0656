import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

// The folder is in `var/` of the checkout; the package is built from its sources.
const client = new URL("../../clients/typescript/src/index.ts", import.meta.url);

export default defineConfig({
  resolve: { alias: { "@task-platform/client": fileURLToPath(client) } },
  build: { rolldownOptions: { output: { entryFileNames: "app.js" } } },
});
