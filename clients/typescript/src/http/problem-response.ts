import { ProblemError } from "../errors.js";
import type { Problem, ProblemCode } from "../models.js";
import type { Received } from "./transport.js";

/** Codes of answers without a problem document, as those of a proxy in between. */
const CODES: Readonly<Partial<Record<number, ProblemCode>>> = {
  401: "token-invalid",
  404: "not-found",
  413: "content-too-large",
  429: "too-many-requests",
  502: "bad-gateway",
  503: "service-unavailable",
  504: "gateway-timeout",
};

/** Make an error of an answer without success. */
export function problemError(received: Received, wasRepeated: boolean): ProblemError {
  const problem = parseProblem(received.text ?? "") ?? unknownProblem(received);
  const origin = { retryAfterSeconds: retryAfterSeconds(received.headers), wasRepeated };
  return new ProblemError(problem, origin);
}

function parseProblem(text: string): Problem | null {
  try {
    const value: unknown = JSON.parse(text);
    const isProblem = typeof value === "object" && value !== null && "code" in value;
    return isProblem && "detail" in value ? (value as Problem) : null;
  } catch {
    return null;
  }
}

function unknownProblem({ status, headers }: Received): Problem {
  const code = CODES[status] ?? (status < 500 ? "bad-request" : "internal-server-error");
  return {
    type: `/problems/${code}`,
    title: code,
    status,
    detail: `The answer with status ${String(status)} did not come from the platform itself.`,
    code,
    request_id: headers.get("x-request-id") ?? "",
  };
}

/** Timers take no more than about 24 days, and start at once if they are to wait longer. */
const RETRY_AFTER_SECONDS_MAX = 86_400;

/** Read `Retry-After`, which is a number of seconds or a date (RFC 9110, 10.2.3): a day at most. */
export function retryAfterSeconds(headers: Headers): number | undefined {
  const seconds = readRetryAfter(headers);
  return seconds && Math.min(seconds, RETRY_AFTER_SECONDS_MAX);
}

function readRetryAfter(headers: Headers): number | undefined {
  const text = headers.get("retry-after")?.trim();
  if (!text) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  const until = Date.parse(text);
  if (Number.isNaN(until)) return undefined;
  // By the clock that wrote the date, where the response shows it: the local one may be wrong.
  const answeredAt = Date.parse(headers.get("date") ?? "");
  const now = Number.isNaN(answeredAt) ? Date.now() : answeredAt;
  return Math.max(0, (until - now) / 1000);
}
