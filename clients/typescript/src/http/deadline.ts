import { NetworkError } from "../errors.js";

/** Ends a call after a time, or when its caller aborts it. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #endsAt: number;
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #callerSignal: AbortSignal | undefined;
  /** Kept here because the signals of React Native know no reason. */
  #error: Error | undefined;

  constructor(seconds: number, callerSignal?: AbortSignal) {
    this.#endsAt = performance.now() + seconds * 1000;
    this.#timer = setTimeout(() => {
      this.#abort(new NetworkError(`There was no answer within ${String(seconds)} seconds.`));
    }, seconds * 1000);
    this.#callerSignal = callerSignal;
    callerSignal?.addEventListener("abort", this.#followCaller);
    if (callerSignal?.aborted) this.#followCaller();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get secondsLeft(): number {
    return (this.#endsAt - performance.now()) / 1000;
  }

  throwIfAborted(): void {
    if (this.#error) throw this.#error;
  }

  /** Wait for a promise that others may wait for as well; the end of this call ends only its own waiting. */
  async waitFor<T>(promise: Promise<T>): Promise<T> {
    this.throwIfAborted();
    let abort: (() => void) | undefined;
    const aborted = new Promise<never>((_resolve, reject) => {
      abort = () => {
        reject(this.#error ?? new NetworkError("The call has ended."));
      };
      this.signal.addEventListener("abort", abort);
    });
    try {
      return await Promise.race([promise, aborted]);
    } finally {
      if (abort) this.signal.removeEventListener("abort", abort);
    }
  }

  async sleep(seconds: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const elapsed = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, seconds * 1000);
    });
    try {
      await this.waitFor(elapsed);
    } finally {
      clearTimeout(timer);
    }
  }

  /** From now on only the caller can end the call, for example while a stream is read. */
  stopClock(): void {
    clearTimeout(this.#timer);
  }

  /** Release the timer and the listener of the caller's signal. */
  end(): void {
    this.stopClock();
    this.#callerSignal?.removeEventListener("abort", this.#followCaller);
  }

  readonly #followCaller = () => {
    const reason: unknown = this.#callerSignal?.reason;
    this.#abort(reason instanceof Error ? reason : new Error("The call was aborted."));
  };

  #abort(error: Error): void {
    this.#error ??= error;
    this.#controller.abort(error);
  }
}
