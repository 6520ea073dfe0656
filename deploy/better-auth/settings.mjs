const ALGORITHMS = ["EdDSA", "ES256", "ES512", "PS256", "RS256"];
const COOKIE_CACHES = ["off", "compact", "jwe", "jwt", "jwks"];
const SECRET_BYTES_MIN = 32;
const SECONDS_MAX = 999_999_999;
/** A token cannot be withdrawn before it expires, so none lives longer than a day. */
const TOKEN_SECONDS_MAX = 86_400;
const SIGN_INS_MAX = 1_000_000;

/** Read the environment once. Unset and empty mean the same; `faults` says everything that is wrong. */
export function readSettings(environment) {
  const faults = [];
  const text = (name, fallback) => environment[name] || fallback;
  const choice = (name, choices) => {
    const value = text(name, choices[0]);
    if (!choices.includes(value)) faults.push(`${name}: must be one of ${choices.join(", ")}`);
    return value;
  };
  const number = (name, max, fallback, min = 0) => {
    const value = text(name, fallback);
    if (value === undefined) return undefined;
    if (!/^\d{1,9}$/.test(value) || Number(value) < min || Number(value) > max)
      faults.push(`${name}: must be a whole number from ${min} to ${max}`);
    return Number(value);
  };

  const settings = {
    host: text("HOST", "127.0.0.1"),
    port: number("PORT", 65_535, "3000"),
    url: text("BETTER_AUTH_URL", ""),
    secret: text("BETTER_AUTH_SECRET", ""),
    databaseUrl: text("DATABASE_URL"),
    algorithm: choice("JWT_ALG", ALGORITHMS),
    tokenSeconds: number("TOKEN_SECONDS", TOKEN_SECONDS_MAX, "900", 1),
    keyRotationSeconds: number("KEY_ROTATION_SECONDS", SECONDS_MAX),
    keyGraceSeconds: number("KEY_GRACE_SECONDS", SECONDS_MAX),
    userIds: choice("USER_IDS", ["default", "uuid"]),
    cookieCache: choice("COOKIE_CACHE", COOKIE_CACHES),
    trustedOrigins: text("TRUSTED_ORIGINS", "")
      .split(",")
      .map((origin) => origin.trim())
      .filter(Boolean),
    rateLimit: choice("RATE_LIMIT", ["on", "off"]),
    signInsMax: number("SIGN_INS_MAX", SIGN_INS_MAX, "3"),
    mailLinks: choice("MAIL_LINKS", ["off", "log"]),
  };
  if (!settings.trustedOrigins.every(isOrigin)) {
    faults.push(
      "TRUSTED_ORIGINS: must be origins such as https://app.example.com, without a path, a closing slash or an " +
        "asterisk, or schemes of apps such as myapp://",
    );
  }
  if (!/^https?:/.test(settings.url) || !URL.canParse(settings.url)) {
    faults.push("BETTER_AUTH_URL: must be the http(s) address that browsers use");
  }
  if (Buffer.byteLength(settings.secret) < SECRET_BYTES_MIN) {
    faults.push(`BETTER_AUTH_SECRET: must have at least ${SECRET_BYTES_MIN} bytes`);
  }
  return { settings, faults };
}

/** Whether a text is the origin of web pages as browsers spell it, or the scheme of an app on a phone. */
function isOrigin(text) {
  if (text.includes("*")) return false;
  if (/^https?:/.test(text)) return URL.canParse(text) && new URL(text).origin === text;
  return /^[a-z][a-z0-9+.-]*:\/\/$/.test(text);
}
