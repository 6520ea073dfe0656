import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { serviceWorkerFiles } from "./vite-plugins/service-worker-files.ts";

/** The gateway that `vite dev` forwards to; a built app is served by the gateway itself. */
const gateway = process.env.GATEWAY ?? "http://127.0.0.1:8080";
const serverPaths = ["/api", "/tasks", "/lists", "/labels", "/users", "/docs", "/problems"];

/** Build from the package's sources, so that the order of builds does not matter. */
function clientSource(path: string): string {
  return fileURLToPath(new URL(`../../clients/typescript/src/${path}`, import.meta.url));
}

export default defineConfig({
  plugins: [react(), serviceWorkerFiles()],
  resolve: {
    alias: [
      { find: /^@task-platform\/client$/, replacement: clientSource("index.ts") },
      { find: /^@task-platform\/client\/(.+)$/, replacement: clientSource("$1/index.ts") },
    ],
  },
  build: {
    target: "es2022",
    // One style sheet: a part that loads later must not arrive without its styles.
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    // The CSP has no `data:` for fonts or scripts, and files that do not change are cached for a year.
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: { app: "index.html", sw: "service-worker/worker.ts" },
      output: {
        entryFileNames: ({ name }) => (name === "sw" ? "sw.js" : "assets/[name]-[hash].js"),
      },
    },
  },
  server: {
    proxy: Object.fromEntries(serverPaths.map((path) => [path, gateway])),
  },
});
