import { ProblemError, type ProblemOrigin } from "../errors.js";
import type { Problem, ProblemCode } from "../models.js";

/** Codes of answers without a problem document, as those of a proxy in between. */
const CODES: Readonly<Partial<Record<number, ProblemCode>>> = {
  401: "token-invalid",
  404: "not-found",
  405: "method-not-allowed",
  408: "request-timeout",
  413: "content-too-large",
  414: "uri-too-long",
  415: "unsupported-media-type",
  429: "too-many-requests",
  431: "request-header-fields-too-large",
  502: "bad-gateway",
  503: "service-unavailable",
  504: "gateway-timeout",
};

/** Make an error of a response that is none of the expected ones. */
export function problemError(response: Response, body: string, wasRepeated: boolean): ProblemError {
  const origin: ProblemOrigin = { retryAfterSeconds: retryAfterSeconds(response), wasRepeated };
  return new ProblemError(parseProblem(body) ?? unknownProblem(response), origin);
}

function parseProblem(body: string): Problem | null {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return null;
  }
  const isProblem =
    typeof value === "object" &&
    value !== null &&
    "code" in value &&
    "detail" in value &&
    "status" in value;
  return isProblem ? (value as Problem) : null;
}

function unknownProblem(response: Response): Problem {
  const { status } = response;
  const code = CODES[status] ?? (status < 500 ? "bad-request" : "internal-server-error");
  return {
    type: `/problems/${code}`,
    title: response.statusText,
    status,
    detail: `The answer with status ${String(status)} did not come from the platform itself.`,
    code,
    request_id: response.headers.get("x-request-id") ?? "",
  };
}

/** Read `Retry-After`, which is a number of seconds or a date (RFC 9110, 10.2.3). */
export function retryAfterSeconds(response: Response): number | undefined {
  const text = response.headers.get("retry-after")?.trim();
  if (!text) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  const until = Date.parse(text);
  if (Number.isNaN(until)) return undefined;
  // By the clock that wrote the date, where the response shows it: the local one may be wrong.
  const answeredAt = Date.parse(response.headers.get("date") ?? "");
  const now = Number.isNaN(answeredAt) ? Date.now() : answeredAt;
  return Math.max(0, (until - now) / 1000);
}
