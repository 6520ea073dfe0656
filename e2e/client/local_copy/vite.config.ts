import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

/** From the package's sources, so that a test needs no earlier build. */
function source(path: string): string {
  return fileURLToPath(new URL(`../../../clients/typescript/src/${path}`, import.meta.url));
}

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  resolve: {
    alias: {
      "@task-platform/client/react": source("react/index.ts"),
      "@task-platform/client/sync": source("sync/index.ts"),
      "@task-platform/client": source("index.ts"),
    },
  },
  // StrictMode renders and runs effects twice only in a development build of React.
  define: { "process.env.NODE_ENV": JSON.stringify("development") },
  build: {
    emptyOutDir: false,
    minify: false,
    rollupOptions: {
      input: {
        page: "page.ts",
        react_page: "react_page.tsx",
        remembered_page: "remembered_page.tsx",
      },
      output: { entryFileNames: "[name].js", chunkFileNames: "[name].js" },
    },
  },
});
