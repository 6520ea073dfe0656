import { SignedOutError } from "../errors.js";
import type { Deadline } from "../http/deadline.js";
import type { FetchToken } from "./auth.js";
import type { TokenTabs } from "./tabs.js";
import type { Token } from "./token.js";

/** How a token is asked for. */
export interface TokenRequest {
  /** The session in which the call began; with another one it must not go on. */
  session?: number;
  deadline?: Deadline;
}

/** Who is told what happens to the user. */
export interface TokenListeners {
  /** The identity server has said that nobody is signed in. */
  onSignedOut?: (() => void) | undefined;
  /** Everything about the user is to be forgotten. */
  onForget?: () => void;
}

/** Keeps the token of the signed-in user in memory, and renews it once for all who wait. */
export class TokenSource {
  readonly #fetchToken: FetchToken;
  readonly #listeners: TokenListeners;
  #tabs: TokenTabs | null = null;
  #token: Token | null = null;
  #renewal: Promise<Token> | null = null;
  #rejectedText = "";
  #subject: string | null = null;
  #isUserKnown = false;
  #session = 0;
  /** The first session of the present user. */
  #userSince = 0;

  constructor(fetchToken: FetchToken, listeners: TokenListeners = {}) {
    this.#fetchToken = fetchToken;
    this.#listeners = listeners;
  }

  /** Share tokens with other tabs of the same browser. */
  shareWith(tabs: TokenTabs): void {
    this.#tabs = tabs;
  }

  /** Grows whenever the user may have changed. */
  get session(): number {
    return this.#session;
  }

  /** The token, if it can be used without asking for another one. */
  get current(): Token | null {
    return this.#token?.isUsable ? this.#token : null;
  }

  /**
   * Return a token that can be used.
   *
   * Rejects with `SignedOutError`, also when the user changes during the wait, or `AuthUnavailableError`.
   */
  async get({ session = this.#session, deadline }: TokenRequest = {}): Promise<Token> {
    this.#requireSession(session);
    const current = this.current;
    if (current) return current;
    this.#renewal ??= this.#renew();
    const token = await (deadline ? deadline.waitFor(this.#renewal) : this.#renewal);
    this.#requireSession(session);
    return token;
  }

  /** Take a token that the platform has rejected out of use. */
  reject(token: Token): void {
    this.#rejectedText = token.text;
    if (this.#token?.text === token.text) this.#token = null;
  }

  /** Take a token from elsewhere, unless it is one that was rejected. */
  accept(token: Token): void {
    if (token.text === this.#rejectedText) return;
    if (this.#subject !== null && this.#subject !== token.subject) this.#changeUser();
    this.#subject = token.subject;
    this.#token = token;
    this.#isUserKnown = true;
  }

  /** Ask for a new token before the next call, as somebody may have signed in or out. */
  invalidate(): void {
    this.#token = null;
    this.#renewal = null;
    this.#session += 1;
    this.#isUserKnown = false;
  }

  /** Forget everything about the user, here and in other tabs; calls that are running end. */
  forget(): void {
    this.forgetHere();
    this.#tabs?.forget();
  }

  /** Forget everything about the user in this tab. */
  forgetHere(): void {
    this.invalidate();
    this.#subject = null;
    this.#userSince = this.#session;
    this.#listeners.onForget?.();
  }

  /** End the calls of the former user: those that began before anything was said about a change. */
  #changeUser(): void {
    if (this.#isUserKnown) this.#session += 1;
    this.#userSince = this.#session;
  }

  #renew(): Promise<Token> {
    const renewal: Promise<Token> = this.#request().then(
      (token) => {
        // Somebody may have signed in or out in the meantime.
        if (this.#renewal === renewal) this.accept(token);
        return token;
      },
      (error: unknown) => {
        if (error instanceof SignedOutError && this.#renewal === renewal)
          this.#listeners.onSignedOut?.();
        throw error;
      },
    );
    const end = () => {
      if (this.#renewal === renewal) this.#renewal = null;
    };
    renewal.then(end, end);
    return renewal;
  }

  #request(): Promise<Token> {
    return this.#tabs ? this.#tabs.renew(this.#fetchToken) : this.#fetchToken();
  }

  #requireSession(session: number): void {
    if (session < this.#userSince) {
      throw new SignedOutError("The user has changed since this call began.");
    }
  }
}
