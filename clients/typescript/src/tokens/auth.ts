import {
  AuthUnavailableError,
  NetworkError,
  SignedOutError,
  TaskPlatformError,
} from "../errors.js";
import { retryAfterSeconds } from "../http/problem-response.js";
import { isOffline } from "../http/retries.js";
import { Token } from "./token.js";

const TIMEOUT_SECONDS = 10;

/** What is needed of a Better Auth client; its server needs the plugin `jwt`. */
export interface BetterAuthClient {
  $fetch: (path: string, options: BetterAuthRequest) => Promise<unknown>;
  $store?: { listen: (signal: "$sessionSignal", listener: () => void) => void };
}

/** How this package calls Better Auth. */
export interface BetterAuthRequest {
  method: "GET";
  throw: false;
  signal: AbortSignal;
  onResponse: (context: { response: Response }) => void;
}

type TokenResult = string | { token: string } | null | undefined;

/** Returns a token for the platform; nothing, or an error with status 401, means that nobody is signed in. */
export type TokenFunction = () => TokenResult | Promise<TokenResult>;

/** Where tokens come from. */
export type Auth = BetterAuthClient | TokenFunction;

/** Asks for a token once; rejects with `SignedOutError` or `AuthUnavailableError`. */
export type FetchToken = () => Promise<Token>;

/** Say whether `auth` is a Better Auth client, which is callable as well: a proxy around a function. */
export function isBetterAuthClient(auth: Auth): auth is BetterAuthClient {
  return typeof (auth as BetterAuthClient).$fetch === "function";
}

/** Make the function that asks `auth` for a token. */
export function tokenFetcher(auth: Auth): FetchToken {
  const fetchToken = isBetterAuthClient(auth)
    ? (signal: AbortSignal) => fetchFromBetterAuth(auth, signal)
    : () => fetchFromFunction(auth);
  return () => withTimeout(fetchToken);
}

async function withTimeout(fetchToken: (signal: AbortSignal) => Promise<Token>): Promise<Token> {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timedOut = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const seconds = String(TIMEOUT_SECONDS);
      reject(
        new AuthUnavailableError(`The identity server did not answer within ${seconds} seconds.`),
      );
      controller.abort();
    }, TIMEOUT_SECONDS * 1000);
  });
  try {
    return await Promise.race([fetchToken(controller.signal), timedOut]);
  } finally {
    clearTimeout(timer);
  }
}

async function fetchFromFunction(fetchToken: TokenFunction): Promise<Token> {
  let result: TokenResult;
  try {
    result = await fetchToken();
  } catch (error) {
    if (error instanceof TaskPlatformError) throw error;
    if (hasStatus401(error)) throw new SignedOutError();
    throw unreachable(error);
  }
  const text = typeof result === "object" ? result?.token : result;
  if (!text) throw new SignedOutError();
  return Token.read(text, false);
}

/** Recognize errors of Better Auth, on the client (`status`) and on the server (`statusCode`). */
function hasStatus401(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  const { status, statusCode } = error as { status?: unknown; statusCode?: unknown };
  return status === 401 || statusCode === 401;
}

async function fetchFromBetterAuth(auth: BetterAuthClient, signal: AbortSignal): Promise<Token> {
  let response: Response | undefined;
  let result: BetterAuthResult;
  try {
    const answer = await auth.$fetch("/token", {
      method: "GET",
      throw: false,
      signal,
      onResponse: (context) => {
        response = context.response;
      },
    });
    result = answer as BetterAuthResult;
  } catch (error) {
    throw unreachable(error);
  }
  const { data, error } = result;
  if (error?.status === 401) throw new SignedOutError();
  if (error) throw unavailable(error.status, response);
  if (data === null) throw new SignedOutError();
  if (typeof data.token !== "string") throw unavailable(response?.status, response);
  return Token.read(data.token, true);
}

/** Make an error of a failed connection, which says nothing about the identity server on a device without network. */
function unreachable(cause: unknown): TaskPlatformError {
  if (isOffline()) return new NetworkError("There is no network.", { cause });
  return new AuthUnavailableError("The identity server cannot be reached.", { cause });
}

interface BetterAuthResult {
  data: { token?: unknown } | null;
  error: { status?: number } | null;
}

function unavailable(status: number | undefined, response: Response | undefined) {
  const remedy = status === 404 ? " Does its server have the plugin jwt?" : "";
  const message = `The identity server gave no token (status ${String(status)}).${remedy}`;
  const seconds = response && retryAfterSeconds(response.headers);
  return new AuthUnavailableError(
    message,
    seconds === undefined ? {} : { retryAfterSeconds: seconds },
  );
}
