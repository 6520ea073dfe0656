// Serves an app that is its own Better Auth server: `auth.js` of the guide, and the built page in `dist`.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { toNodeHandler } from "better-auth/node";
import { auth } from "./auth.js";

const authenticate = toNodeHandler(auth);

createServer(async (request, response) => {
  if (request.url.startsWith("/api/auth/")) return authenticate(request, response);
  const isPage = request.url === "/";
  const type = isPage ? "text/html" : "text/javascript";
  const body = await readFile(new URL(isPage ? "dist/index.html" : "dist/app.js", import.meta.url));
  return response.writeHead(200, { "content-type": type }).end(body);
}).listen(Number(process.env.PORT), "localhost");
