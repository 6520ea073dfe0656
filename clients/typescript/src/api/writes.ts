import { ConflictError, ProblemError } from "../errors.js";
import type { CallOptions } from "../http/transport.js";
import type { Reference, Versioned } from "../models.js";

/** Options of creations and moves. */
export interface CreateOptions extends CallOptions {
  /** Makes a repetition return the first answer, within 24 hours; by default a new one for each call. */
  idempotencyKey?: string;
}

/** Options of creations whose id the client may choose. */
export interface CreateAsOptions extends CreateOptions {
  /** Create under this UUID, or undo the deletion of what had it. */
  id?: string;
}

/** Return the id of what is meant. */
export function idOf(reference: Reference): string {
  return typeof reference === "string" ? reference : reference.id;
}

/** Return the header that makes a write fail if what was read has changed since. */
export function ifMatch(reference: string | { version?: number | undefined }) {
  const version = typeof reference === "string" ? undefined : reference.version;
  return version === undefined ? {} : { "If-Match": `"${String(version)}"` };
}

/** Return the header that makes it safe to repeat a POST. */
export function idempotencyKey(options: CreateOptions | undefined): Record<string, string> {
  return { "Idempotency-Key": options?.idempotencyKey ?? randomKey() };
}

/** Make a key; `crypto.randomUUID` does not exist in React Native, nor on pages without TLS. */
function randomKey(): string {
  const { crypto } = globalThis as { crypto?: Partial<Crypto> };
  if (crypto?.randomUUID) return crypto.randomUUID();
  const random = () => Math.random().toString(36).slice(2);
  return `${Date.now().toString(36)}-${random()}-${random()}`;
}

/** A write of something that was read before. */
export interface GuardedWrite<Item extends Versioned> {
  reference: Reference;
  /** The fields that are sent; null for a deletion. */
  sent: object | null;
  write: () => Promise<Item>;
  /** Read what the platform has now. */
  read: () => Promise<Item>;
}

/**
 * Write, and find out what a refused tag means.
 *
 * When an earlier attempt has got no answer, the refusal can come from its own success. Otherwise it is a conflict.
 */
export async function writeGuarded<Item extends Versioned>(
  guarded: GuardedWrite<Item>,
): Promise<Item> {
  const { reference, sent } = guarded;
  try {
    return await guarded.write();
  } catch (error) {
    if (!isRefusedTag(error)) throw error;
    const theirs = await guarded.read();
    if (error.wasRepeated && sent !== null && contains(theirs, sent)) return theirs;
    throw new ConflictError(error.problem, { base: reference, mine: sent, theirs });
  }
}

/** Delete; what an earlier attempt without an answer has deleted is missing now. */
export async function deleteGuarded<Item extends Versioned>(
  reference: Reference,
  remove: () => Promise<unknown>,
  read: () => Promise<Item>,
): Promise<void> {
  try {
    await remove();
  } catch (error) {
    if (isMissingAfterRepetition(error)) return;
    if (!isRefusedTag(error)) throw error;
    const theirs = await read();
    throw new ConflictError(error.problem, { base: reference, mine: null, theirs });
  }
}

/** Create under an id; what an earlier attempt without an answer has created exists now. */
export async function createGuarded<Item>(
  create: () => Promise<Item>,
  read: () => Promise<Item>,
): Promise<Item> {
  try {
    return await create();
  } catch (error) {
    const exists = error instanceof ProblemError && error.status === 412 && error.wasRepeated;
    if (!exists) throw error;
    return await read();
  }
}

function isRefusedTag(error: unknown): error is ProblemError {
  return error instanceof ProblemError && error.code === "version-mismatch";
}

function isMissingAfterRepetition(error: unknown): boolean {
  return error instanceof ProblemError && error.status === 404 && error.wasRepeated;
}

/** Say whether all that was sent is there, in the platform's own spelling. */
function contains(actual: unknown, sent: unknown): boolean {
  if (typeof sent === "string" && typeof actual === "string") {
    return actual.trim() === sent.normalize().trim();
  }
  if (Array.isArray(sent)) {
    if (!Array.isArray(actual) || actual.length !== sent.length) return false;
    return sent.every((item) => actual.some((other) => contains(other, item)));
  }
  if (typeof sent !== "object" || sent === null) return actual === sent;
  if (typeof actual !== "object" || actual === null) return false;
  return Object.entries(sent).every(
    ([name, value]) =>
      value === undefined || contains((actual as Record<string, unknown>)[name], value),
  );
}
