import type { Fault, Problem, ProblemCode } from "./models.js";

/** What all errors of this package have in common. */
export abstract class TaskPlatformError extends Error {
  /** Whether the same call can succeed later without anybody changing anything. */
  abstract readonly isRetryable: boolean;
}

const RETRYABLE_STATUSES: readonly number[] = [408, 429, 500, 502, 503, 504];

/** How a problem document came about. */
export interface ProblemOrigin {
  retryAfterSeconds?: number | undefined;
  wasRepeated?: boolean;
}

/** The platform, or something in front of it, refused a request. */
export class ProblemError extends TaskPlatformError {
  override readonly name: string = "ProblemError";
  /** The document as it came, or what stands for it. */
  readonly problem: Problem;
  readonly status: number;
  readonly code: ProblemCode;
  /** One sentence for the person who made the request. */
  readonly detail: string;
  readonly faults: readonly Fault[];
  /** What is wrong with each field, for forms; a nested field is named like `due.time`. */
  readonly fields: Readonly<Record<string, string>>;
  /** Finds the request in the logs of the platform; empty if something in front of it answered. */
  readonly requestId: string;
  /** Why a token was rejected, from a platform in development. */
  readonly reason: string | undefined;
  /** Which setting to change, from a platform in development. */
  readonly hint: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  /** Whether an earlier attempt of the same call may have succeeded without an answer. */
  readonly wasRepeated: boolean;

  constructor(problem: Problem, origin: ProblemOrigin = {}) {
    const { detail, code, status, hint } = problem;
    super(`${detail}${hint ? ` ${hint}` : ""} (${code}, status ${String(status)})`);
    this.problem = problem;
    this.status = problem.status;
    this.code = problem.code;
    this.detail = problem.detail;
    this.faults = problem.errors ?? [];
    this.fields = fieldMessages(this.faults);
    this.requestId = problem.request_id;
    this.reason = problem.reason;
    this.hint = hint;
    this.retryAfterSeconds = origin.retryAfterSeconds;
    this.wasRepeated = origin.wasRepeated ?? false;
  }

  get isRetryable(): boolean {
    return RETRYABLE_STATUSES.includes(this.status) || this.code === "key-in-use";
  }
}

function fieldMessages(faults: readonly Fault[]): Record<string, string> {
  const messages: Record<string, string> = {};
  for (const fault of faults) {
    const field = fault.location.slice(1).join(".");
    if (field !== "") messages[field] ??= fault.message;
  }
  return messages;
}

/** Both sides of a conflict. */
export interface ConflictSides {
  /** What was read before the write. */
  base: unknown;
  /** The fields that were sent; null for a deletion. */
  mine: unknown;
  /** What the platform has now. */
  theirs: unknown;
}

/** Somebody else has changed what was to be written; nothing was written. */
export class ConflictError extends ProblemError implements ConflictSides {
  override readonly name = "ConflictError";
  readonly base: unknown;
  readonly mine: unknown;
  readonly theirs: unknown;

  constructor(problem: Problem, sides: ConflictSides) {
    super(problem);
    this.base = sides.base;
    this.mine = sides.mine;
    this.theirs = sides.theirs;
  }
}

/** Nobody is signed in, or another user than before. */
export class SignedOutError extends TaskPlatformError {
  override readonly name = "SignedOutError";
  readonly isRetryable = false;

  constructor(message = "Nobody is signed in.", options?: ErrorOptions) {
    super(message, options);
  }
}

/** The identity server cannot be asked for a token at the moment; this signs nobody out. */
export class AuthUnavailableError extends TaskPlatformError {
  override readonly name = "AuthUnavailableError";
  readonly isRetryable = true;
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, options: ErrorOptions & { retryAfterSeconds?: number } = {}) {
    super(message, options);
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** There was no answer: offline, connection lost, or the deadline of the call has passed. */
export class NetworkError extends TaskPlatformError {
  override readonly name = "NetworkError";
  readonly isRetryable = true;
}
