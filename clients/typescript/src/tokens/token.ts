const MARGIN_SECONDS_MAX = 30;
/** Of a short lifetime the margin takes only a part, or a token would be old when it arrives. */
const MARGIN_OF_LIFETIME = 0.1;
/** For how long a token is kept that does not say when it expires. */
const LIFETIME_SECONDS_DEFAULT = 60;

interface Claims {
  sub?: unknown;
  iat?: unknown;
  exp?: unknown;
}

/** A token of the identity server, which is kept in memory only. */
export class Token {
  readonly text: string;
  /** Who is signed in, as the identity server says it; empty if the token does not. */
  readonly subject: string;
  readonly #usableUntilByClock: number;
  readonly #usableUntilByTimer: number;

  private constructor(text: string, subject: string, usableMilliseconds: number) {
    this.text = text;
    this.subject = subject;
    this.#usableUntilByClock = Date.now() + usableMilliseconds;
    this.#usableUntilByTimer = performance.now() + usableMilliseconds;
  }

  /**
   * Read a token that has just arrived.
   *
   * `isNew` says that it was made for this request, so that its `iat` is the time by the clock of the server.
   */
  static read(text: string, isNew: boolean): Token {
    const claims = readClaims(text);
    const subject = typeof claims.sub === "string" ? claims.sub : "";
    const seconds = remainingSeconds(claims, isNew);
    const margin = Math.min(MARGIN_SECONDS_MAX, seconds * MARGIN_OF_LIFETIME);
    return new Token(text, subject, (seconds - margin) * 1000);
  }

  /** Take over a token from another tab. */
  static handedOver(text: string, usableMilliseconds: number): Token {
    return new Token(text, Token.read(text, false).subject, usableMilliseconds);
  }

  get isUsable(): boolean {
    return this.usableMilliseconds > 0;
  }

  /**
   * For how long the token can be used.
   *
   * By the clock and by a timer, and the shorter time counts: a clock can be set, a timer can stop during sleep.
   */
  get usableMilliseconds(): number {
    return Math.min(
      this.#usableUntilByClock - Date.now(),
      this.#usableUntilByTimer - performance.now(),
    );
  }
}

/** How long a token is valid from now on. */
function remainingSeconds({ iat, exp }: Claims, isNew: boolean): number {
  if (typeof exp !== "number") return LIFETIME_SECONDS_DEFAULT;
  const remaining = exp - Date.now() / 1000;
  if (typeof iat !== "number") return remaining;
  const lifetime = exp - iat;
  // A token that seems to be expired on arrival means that the local clock is wrong.
  return isNew || remaining <= 0 ? lifetime : Math.min(remaining, lifetime);
}

/** Read the claims without checking anything: the platform checks. */
function readClaims(text: string): Claims {
  const payload = text.split(".")[1] ?? "";
  try {
    const claims: unknown = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
    return typeof claims === "object" && claims !== null ? claims : {};
  } catch {
    return {};
  }
}
