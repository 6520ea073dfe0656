import { AuthUnavailableError, NetworkError, ProblemError } from "../errors.js";

const FIRST_DELAY_SECONDS = 0.2;
const DELAY_SECONDS_MAX = 10;

/** How often a call is repeated if its caller does not say it. */
export const RETRIES_DEFAULT = 4;

/**
 * Say whether a request can be sent again after it may have arrived.
 *
 * A tag makes a second write fail instead of overwriting something, a key makes it return the first answer.
 */
function isRepeatable(request: Request): boolean {
  const { method, headers } = request;
  const isRead = method === "GET" || method === "HEAD";
  const hasTag = headers.has("if-match") || headers.has("if-none-match");
  return isRead || hasTag || headers.has("idempotency-key");
}

/** Say whether a failed attempt may be repeated. */
export function canRepeat(error: unknown, request: Request): boolean {
  if (error instanceof AuthUnavailableError) return true;
  if (error instanceof NetworkError) return isRepeatable(request) && !isOffline();
  if (!(error instanceof ProblemError)) return false;
  // Whoever limits the rate has not passed the request on.
  if (error.status === 429) return true;
  return error.isRetryable && isRepeatable(request);
}

/** Return how long to wait before the next attempt: as long as the server asks for, at least a growing random time. */
export function delaySeconds(error: unknown, failures: number): number {
  const growing = Math.min(FIRST_DELAY_SECONDS * 2 ** (failures - 1), DELAY_SECONDS_MAX);
  const asked =
    error instanceof ProblemError || error instanceof AuthUnavailableError
      ? (error.retryAfterSeconds ?? 0)
      : 0;
  // Spread over time, so that many clients do not come back in the same moment.
  return Math.max(asked, growing / 2) + (Math.random() * growing) / 2;
}

/** `onLine` is only to be believed when it says no. */
export function isOffline(): boolean {
  return typeof navigator !== "undefined" && (navigator as { onLine?: boolean }).onLine === false;
}
