import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { APIError } from "better-auth/api";
import { getMigrations } from "better-auth/db/migration";
import { bearer, jwt } from "better-auth/plugins";

/** In bytes of JSON. A token contains the user, and the gateway reads none that is longer than 8192 bytes. */
const USER_BYTES_MAX = { name: 800, email: 400, image: 2000 };

/** The tables of Better Auth's core and of the jwt plugin; the memory adapter makes none by itself. */
const emptyTables = () => ({ user: [], session: [], account: [], verification: [], jwks: [] });

/** Make the issuer. `pool` is a PostgreSQL pool, or nothing for memory; `log(level, message, fields)` writes a line. */
export function createAuth(settings, pool, log) {
  return betterAuth({
    baseURL: settings.url,
    secret: settings.secret,
    trustedOrigins: settings.trustedOrigins,
    database: pool ?? memoryAdapter(emptyTables()),
    advanced: settings.userIds === "uuid" ? { database: { generateId: "uuid" } } : {},
    emailAndPassword: { enabled: true },
    user: {
      // With the password, or within a day of the sign-in.
      deleteUser: { enabled: true },
      changeEmail: changeEmail(settings, log),
    },
    emailVerification: emailVerification(settings, log),
    databaseHooks: { user: { create: { before: limitTexts }, update: { before: limitTexts } } },
    session: { cookieCache: cookieCache(settings) },
    plugins: [jwt(jwtOptions(settings)), bearer()],
    rateLimit: rateLimit(settings),
    telemetry: { enabled: false },
    logger: { log: (level, ...said) => log(level, said.join(" "), { logger: "better-auth" }) },
  });
}

/** Make or complete the tables in PostgreSQL. Safe to repeat; of two processes at once, one may fail and has to repeat it. */
export async function migrate(auth) {
  const { runMigrations } = await getMigrations(auth.options);
  await runMigrations();
}

/** Refuse a user whose token no service would read. */
async function limitTexts(user) {
  for (const [field, max] of Object.entries(USER_BYTES_MAX)) {
    if (Buffer.byteLength(JSON.stringify(user[field] ?? "")) > max) {
      const code = `${field.toUpperCase()}_TOO_LONG`;
      throw new APIError("BAD_REQUEST", { code, message: `The ${field} is too long` });
    }
  }
}

function jwtOptions(settings) {
  const { algorithm, keyRotationSeconds, keyGraceSeconds, cookieCache, tokenSeconds } = settings;
  return {
    jwt: { expirationTime: `${tokenSeconds}s` },
    jwks: {
      keyPairConfig: { alg: algorithm },
      rotationInterval: keyRotationSeconds,
      gracePeriod: keyGraceSeconds,
    },
    sessionCookieCache: cookieCache === "jwks",
  };
}

/** Better Auth's own limits, but for another number of sign-ins and sign-ups in its 10 s. */
function rateLimit({ rateLimit, signInsMax }) {
  const rule = { window: 10, max: signInsMax };
  return {
    enabled: rateLimit === "on",
    customRules: { "/sign-in/email": rule, "/sign-up/email": rule },
  };
}

/** `jwks` is Better Auth's strategy `jwt`, signed with the published key instead of the secret. */
function cookieCache({ cookieCache: kind }) {
  return kind === "off"
    ? { enabled: false }
    : { enabled: true, strategy: kind === "jwks" ? "jwt" : kind };
}

/** Stand in for a mail server. Whoever reads the log can follow the links: never where real people sign up. */
const mailToLog =
  (log) =>
  async ({ user, url, token }) =>
    log("info", "mail", { to: user.email, url, token });

function changeEmail({ mailLinks }, log) {
  return mailLinks === "log"
    ? { enabled: true, sendChangeEmailConfirmation: mailToLog(log) }
    : undefined;
}

function emailVerification({ mailLinks }, log) {
  return mailLinks === "log"
    ? { sendOnSignUp: true, sendVerificationEmail: mailToLog(log) }
    : undefined;
}
