import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { toNodeHandler } from "better-auth/node";
import pg from "pg";
import { createAuth, migrate } from "./auth.mjs";
import { createCors } from "./cors.mjs";
import { readSettings } from "./settings.mjs";

/** Longer than the edge keeps an idle connection (90 s), or a reused one dies under a request. */
const KEEP_ALIVE_SECONDS = 120;
/** How long requests in flight may take after SIGTERM. */
const SHUTDOWN_SECONDS = 15;
/** How long a start waits for a database, a network or another replica that starts at the same time. */
const DATABASE_WAIT_SECONDS = 30;
/** Errors of a database that may be there soon; 57P03: it starts up. */
const NOT_YET = ["ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "57P03"];
/** Another replica made the table, its type, its index or its column first. */
const MADE_MEANWHILE = ["42P07", "23505", "42710", "42701"];
/** Better Auth's error page shows texts of the URL, at the origin of the app. Its styles are inline. */
const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

function log(level, message, fields = {}) {
  process.stdout.write(
    `${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`,
  );
}

function answer(response, status, body) {
  if (response.headersSent) return response.destroy();
  return response
    .writeHead(status, { "content-type": "application/json" })
    .end(JSON.stringify(body));
}

function createRoutes(authenticate, allowOrigin) {
  return (request, response) => {
    const [path] = request.url.split("?", 1);
    if (path === "/healthz") return answer(response, 200, { status: "ok" });
    if (!path.startsWith("/api/auth/"))
      return answer(response, 404, { message: "There is nothing at this address" });
    response.setHeader("content-security-policy", PAGE_POLICY);
    if (allowOrigin(request, response)) return undefined;
    // Better Auth rejects when the Host header makes no URL; unhandled, that rejection ends the process.
    return authenticate(request, response).catch((error) => {
      log("warning", "unreadable request", { error: error.message });
      answer(response, 400, { message: "The request cannot be read" });
    });
  };
}

function stopOnSignals(server, pool) {
  const stop = (signal) => {
    log("info", "stopping", { signal });
    server.close(() => pool?.end());
    setTimeout(() => server.closeAllConnections(), SHUTDOWN_SECONDS * 1000).unref();
  };
  process.once("SIGTERM", stop).once("SIGINT", stop);
}

/** Make the tables, as soon as the database answers and no other replica makes the same ones. */
async function migrateWhenPossible(auth) {
  const deadline = Date.now() + DATABASE_WAIT_SECONDS * 1000;
  for (;;) {
    try {
      return await migrate(auth);
    } catch (error) {
      const isTemporary = NOT_YET.includes(error.code) || MADE_MEANWHILE.includes(error.code);
      if (!isTemporary || Date.now() > deadline) throw error;
      log("warning", "the tables cannot be made yet", { error: error.message || error.code });
      await sleep(1000);
    }
  }
}

/** The driver does not know the parameter `channel_binding`: it binds where the server offers that. */
function poolOptions(connectionString) {
  const enableChannelBinding = /[?&]channel_binding=(prefer|require)(&|$)/.test(connectionString);
  return { connectionString, enableChannelBinding };
}

async function start(settings) {
  const { databaseUrl } = settings;
  const pool = databaseUrl && new pg.Pool(poolOptions(databaseUrl));
  pool?.on("error", (error) =>
    log("warning", "database connection lost", { error: error.message }),
  );
  const auth = createAuth(settings, pool, log);
  if (pool) await migrateWhenPossible(auth);

  const server = createServer(
    { keepAliveTimeout: KEEP_ALIVE_SECONDS * 1000 },
    createRoutes(toNodeHandler(auth), createCors(settings.trustedOrigins)),
  );
  await new Promise((resolve, reject) =>
    server.once("error", reject).listen(settings.port, settings.host, resolve),
  );
  stopOnSignals(server, pool);
  const { url, algorithm, userIds, cookieCache } = settings;
  const database = pool ? "postgresql" : "memory";
  log("info", "started", { ...server.address(), url, algorithm, userIds, cookieCache, database });
}

function refuseStart(exitCode, ...lines) {
  process.stderr.write(`${lines.join("\n")}\n`);
  process.exit(exitCode);
}

const { settings, faults } = readSettings(process.env);
if (faults.length > 0)
  refuseStart(2, "These settings stop the start:", ...faults.sort().map((fault) => `  ${fault}`));
start(settings).catch((error) =>
  refuseStart(1, `The server cannot start: ${error.message || error.code}`),
);
