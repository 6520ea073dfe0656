import type { FetchToken } from "./auth.js";
import { Token } from "./token.js";

/** How long another tab has time to answer with its token. */
const ANSWER_MILLISECONDS = 25;
/** How long a tab waits while another one asks for a token: that one may have been frozen. */
const LOCK_MILLISECONDS = 5000;

type Message =
  | { kind: "ask" }
  | { kind: "offer"; token: string; usableMilliseconds: number; forgottenAt: number }
  | { kind: "forget"; forgottenAt: number };

/** What the tabs do with the token source of this tab. */
export interface TabListener {
  readonly current: Token | null;
  accept(token: Token): void;
  forgetHere(): void;
}

/** The tabs of one browser hand a token to each other, without storing it, and only one asks for a new one. */
export class TokenTabs {
  readonly #name: string;
  readonly #listener: TabListener;
  readonly #channel: BroadcastChannel;
  /** When a user signed out last; older offers are of that user. */
  #forgottenAt = 0;

  private constructor(name: string, listener: TabListener) {
    this.#name = name;
    this.#listener = listener;
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = (event: MessageEvent<Message>) => {
      this.#receive(event.data);
    };
    // In Node.js an open channel would keep the process alive.
    (this.#channel as { unref?: () => void }).unref?.();
  }

  /** Join the other tabs, where the browser has what this needs. */
  static join(name: string, listener: TabListener): TokenTabs | null {
    const hasLocks = typeof navigator === "object" && "locks" in navigator;
    const hasChannels = typeof BroadcastChannel === "function";
    return hasLocks && hasChannels ? new TokenTabs(name, listener) : null;
  }

  /** Return the token of another tab, or a new one. */
  async renew(fetchToken: FetchToken): Promise<Token> {
    const waiting = new AbortController();
    const timer = setTimeout(() => {
      waiting.abort();
    }, LOCK_MILLISECONDS);
    try {
      return await navigator.locks.request(this.#name, { signal: waiting.signal }, () => {
        clearTimeout(timer);
        return this.#renewAlone(fetchToken);
      });
    } catch (error) {
      if (!waiting.signal.aborted) throw error;
      return await this.#renewAlone(fetchToken);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Tell the other tabs that the user has signed out. */
  forget(): void {
    this.#forgottenAt = Math.max(Date.now(), this.#forgottenAt + 1);
    this.#send({ kind: "forget", forgottenAt: this.#forgottenAt });
  }

  async #renewAlone(fetchToken: FetchToken): Promise<Token> {
    const handedOver = this.#listener.current ?? (await this.#askOthers());
    if (handedOver) return handedOver;
    const forgottenAt = this.#forgottenAt;
    const token = await fetchToken();
    this.#offer(token, forgottenAt);
    return token;
  }

  async #askOthers(): Promise<Token | null> {
    this.#send({ kind: "ask" });
    const askedUntil = performance.now() + ANSWER_MILLISECONDS;
    while (performance.now() < askedUntil) {
      await new Promise((resolve) => setTimeout(resolve, ANSWER_MILLISECONDS / 5));
      if (this.#listener.current) break;
    }
    return this.#listener.current;
  }

  #receive(message: Message): void {
    if (message.kind === "ask") {
      const token = this.#listener.current;
      if (token) this.#offer(token, this.#forgottenAt);
    } else if (message.kind === "offer") {
      if (message.forgottenAt < this.#forgottenAt) return;
      this.#forgottenAt = message.forgottenAt;
      this.#listener.accept(Token.handedOver(message.token, message.usableMilliseconds));
    } else {
      this.#forgottenAt = Math.max(this.#forgottenAt, message.forgottenAt);
      this.#listener.forgetHere();
    }
  }

  #offer(token: Token, forgottenAt: number): void {
    const { text, usableMilliseconds } = token;
    this.#send({ kind: "offer", token: text, usableMilliseconds, forgottenAt });
  }

  #send(message: Message): void {
    this.#channel.postMessage(message);
  }
}
