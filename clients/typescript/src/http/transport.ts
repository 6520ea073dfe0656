import { NetworkError, SignedOutError, TaskPlatformError, ProblemError } from "../errors.js";
import type { Token } from "../tokens/token.js";
import type { TokenSource } from "../tokens/token-source.js";
import { Deadline } from "./deadline.js";
import type { EtagCache } from "./etag-cache.js";
import { problemError } from "./problem-response.js";
import { canRepeat, delaySeconds, RETRIES_DEFAULT } from "./retries.js";

/** What every call can be told. */
export interface CallOptions {
  /** Ends the call when it is aborted. */
  signal?: AbortSignal | undefined;
  /** How long the call may take with all its repetitions. */
  deadlineSeconds?: number | undefined;
  /** How often the call may be repeated; 0 for callers that repeat by themselves. */
  retries?: number | undefined;
}

/** What the methods of the client know about a request. */
export interface RequestTraits {
  /** The request needs no token. */
  isPublic?: boolean;
  /** The body of the response is no JSON. */
  isText?: boolean;
  /** The body of the response is read while it arrives. */
  isStream?: boolean;
}

/** What has arrived. */
export interface Received {
  status: number;
  headers: Headers;
  /** Null if there is no body, or a stream. */
  text: string | null;
  /** The response whose body is still to be read. */
  stream: Response | null;
}

/** Settings of the transport. */
export interface TransportSettings {
  tokens: TokenSource;
  fetch: (request: Request) => Promise<Response>;
  deadlineSeconds: number;
  etags: EtagCache | null;
  /** The only user, by the subject of the token, for whom requests are sent. */
  subject: string | null;
}

/** One call with all its attempts. */
interface Call {
  request: Request;
  traits: RequestTraits;
  deadline: Deadline;
  session: number;
  /** An attempt without an answer may have reached the platform. */
  mayHaveArrived: boolean;
  wasRepeated: boolean;
}

/** Sends requests with a token, and again as long as that is safe. */
export class Transport {
  readonly settings: TransportSettings;

  constructor(settings: TransportSettings) {
    this.settings = settings;
  }

  /**
   * Send a request and return what arrives with a status of success.
   *
   * Rejects with an error of this package, or with what the caller has aborted the signal with.
   */
  async send(
    request: Request,
    options: CallOptions = {},
    traits: RequestTraits = {},
  ): Promise<Received> {
    const seconds = options.deadlineSeconds ?? this.settings.deadlineSeconds;
    const deadline = new Deadline(seconds, options.signal);
    this.#distrustOtherUser();
    const { session } = this.settings.tokens;
    const call = { request, traits, deadline, session, mayHaveArrived: false, wasRepeated: false };
    let isStreaming = false;
    try {
      const received = await this.#sendRepeatedly(call, options.retries ?? RETRIES_DEFAULT);
      isStreaming = received.stream !== null;
      return received;
    } finally {
      if (!isStreaming) deadline.end();
    }
  }

  /** Ask for a new token if the present one is of another user: the right one may have signed in. */
  #distrustOtherUser(): void {
    const { tokens, subject } = this.settings;
    const { current } = tokens;
    if (subject !== null && current && current.subject !== subject) tokens.invalidate();
  }

  async #sendRepeatedly(call: Call, retries: number): Promise<Received> {
    const { deadline } = call;
    for (let failures = 1; ; failures += 1) {
      try {
        return await this.#sendAuthenticated(call);
      } catch (error) {
        if (failures > retries || !canRepeat(error, call.request)) throw error;
        const seconds = delaySeconds(error, failures);
        if (seconds >= deadline.secondsLeft) throw error;
        await deadline.sleep(seconds);
        call.wasRepeated ||= call.mayHaveArrived;
      }
    }
  }

  /** Send once, and with a new token if the platform rejects the one that was in use. */
  async #sendAuthenticated(call: Call): Promise<Received> {
    if (call.traits.isPublic) return this.#sendOnce(call, null);
    const token = await this.#token(call);
    try {
      return await this.#sendOnce(call, token);
    } catch (error) {
      if (!(error instanceof ProblemError) || error.status !== 401) throw error;
    }
    this.settings.tokens.reject(token);
    return this.#sendOnce(call, await this.#token(call));
  }

  async #token({ session, deadline }: Call): Promise<Token> {
    const token = await this.settings.tokens.get({ session, deadline });
    const { subject } = this.settings;
    if (subject !== null && subject !== token.subject) {
      throw new SignedOutError("Another user is signed in.");
    }
    return token;
  }

  async #sendOnce(call: Call, token: Token | null): Promise<Received> {
    const { request, traits, deadline } = call;
    const headers = new Headers(request.headers);
    if (token) headers.set("Authorization", `Bearer ${token.text}`);
    const key = this.#cacheKey(request, traits, token);
    const cached = key === null ? undefined : this.settings.etags?.get(key);
    if (cached) headers.set("If-None-Match", cached.etag);

    const attempt = new Request(request.clone(), { headers, signal: deadline.signal });
    call.mayHaveArrived = true;
    const received = await this.#exchange(attempt, call);
    const { status, text } = received;
    // An answer says what has become of this attempt, and of no earlier one.
    call.mayHaveArrived = status >= 500;

    if (status === 304 && cached) return { ...received, ...cached };
    const isSuccess = status < 300 || status === 304;
    if (!isSuccess) throw problemError(received, call.wasRepeated);
    if (key !== null && text !== null) this.settings.etags?.store(key, text, received.headers);
    return received;
  }

  /** Send, and read the body unless it is to be read as a stream. */
  async #exchange(attempt: Request, { traits, deadline }: Call): Promise<Received> {
    try {
      const response = await this.settings.fetch(attempt);
      const { status, headers } = response;
      if (traits.isStream && response.ok) {
        deadline.stopClock();
        return { status, headers, text: null, stream: response };
      }
      return { status, headers, text: (await response.text()) || null, stream: null };
    } catch (error) {
      deadline.throwIfAborted();
      if (error instanceof TaskPlatformError) throw error;
      throw new NetworkError("The platform cannot be reached.", { cause: error });
    }
  }

  #cacheKey(request: Request, traits: RequestTraits, token: Token | null): string | null {
    const isCacheable =
      request.method === "GET" && !traits.isStream && !request.headers.has("If-None-Match");
    return isCacheable && token ? `${token.subject} ${request.url}` : null;
  }
}
