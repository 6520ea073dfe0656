import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

/** Write into `sw.js` the paths of all files of this build and a version made from their contents. */
export function serviceWorkerFiles(): Plugin {
  let publicFolder = "";
  return {
    name: "service-worker-files",
    apply: "build",
    enforce: "post",
    configResolved(config) {
      publicFolder = config.publicDir;
    },
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const worker = bundle["sw.js"];
        if (worker?.type !== "chunk") throw new Error("The build has no sw.js");

        const version = createHash("sha256");
        const paths = ["/"];
        for (const [name, output] of Object.entries(bundle).sort(([a], [b]) => (a < b ? -1 : 1))) {
          version.update(name).update(output.type === "chunk" ? output.code : output.source);
          if (name.startsWith("assets/")) paths.push(`/${name}`);
        }
        for (const name of readdirSync(join(publicFolder, "assets")).sort()) {
          version.update(readFileSync(join(publicFolder, "assets", name)));
          paths.push(`/assets/${name}`);
        }
        worker.code = worker.code
          .replaceAll("__FILES__", JSON.stringify(paths))
          .replaceAll("__VERSION__", JSON.stringify(version.digest("hex").slice(0, 16)));
      },
    },
  };
}
