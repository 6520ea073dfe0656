/** How long after a read the next one starts while the page is visible. */
const POLL_SECONDS = 5;

/** How much longer the tabs wait that have not read, so that the same tab reads for all again. */
const FOLLOWER_SECONDS = 1;

const FIRST_RETRY_SECONDS = 1;
const RETRY_SECONDS_MAX = 30;
/** Nobody waits for a hidden page, but what is pending still has to be sent. */
const HIDDEN_RETRY_SECONDS = 60;

/** How a run ended. */
export interface RunResult {
  outcome: "done" | "failed" | "stopped";
  /** How long the server asks to wait. */
  retryAfterSeconds?: number | undefined;
}

/** Decides when to sync: after edits, when the page comes back, and every few seconds. */
export class Scheduler {
  readonly #run: (mustRead: boolean) => Promise<RunResult>;
  readonly #hasPending: () => boolean;
  readonly #stopListening = new AbortController();
  #running: Promise<void> | undefined;
  /** What is to be done after the current run; undefined for nothing. */
  #next: { mustRead: boolean } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  /** Until then the server does not want to be asked (milliseconds, by a clock that nobody sets). */
  #notBefore = 0;
  #isStopped = false;

  constructor(run: (mustRead: boolean) => Promise<RunResult>, hasPending: () => boolean) {
    this.#run = run;
    this.#hasPending = hasPending;
  }

  /** Begin to listen to the page, and sync for the first time. */
  start(): void {
    const { signal } = this.#stopListening;
    const wake = () => {
      if (!isHidden()) {
        void this.syncNow(true);
      }
    };
    // Not `window`: that of React Native has no events.
    if (typeof document === "object") {
      for (const event of ["online", "focus", "pageshow"]) {
        window.addEventListener(event, wake, { signal });
      }
      // `navigator.onLine` is not asked, but its change is a reason to find out.
      window.addEventListener("offline", wake, { signal });
      document.addEventListener("visibilitychange", wake, { signal });
    }
    void this.syncNow(true);
  }

  /** Stop for good. */
  stop(): void {
    this.#isStopped = true;
    this.#stopListening.abort();
    clearTimeout(this.#timer);
  }

  /** Another tab has just read changes. */
  noteRead(): void {
    if (this.#running === undefined && this.#failures === 0) {
      this.#wait(POLL_SECONDS + FOLLOWER_SECONDS * (1 + Math.random()));
    }
  }

  /** Sync now, or as soon as the current run has ended; resolves when that is over. */
  async syncNow(mustRead: boolean): Promise<void> {
    if (this.#isStopped) {
      return;
    }
    if (this.#running !== undefined) {
      this.#next = { mustRead: mustRead || this.#next?.mustRead === true };
      await this.#running;
      return;
    }
    const waitMilliseconds = this.#notBefore - performance.now();
    if (waitMilliseconds > 0) {
      this.#wait(waitMilliseconds / 1000);
      return;
    }
    this.#running = this.#runAll(mustRead);
    await this.#running;
  }

  async #runAll(mustRead: boolean): Promise<void> {
    clearTimeout(this.#timer);
    let todo: { mustRead: boolean } | undefined = { mustRead };
    let result: RunResult = { outcome: "done" };
    while (todo !== undefined) {
      this.#next = undefined;
      result = await this.#run(todo.mustRead);
      todo = result.outcome === "done" ? this.#next : undefined;
    }
    this.#running = undefined;
    this.#plan(result);
  }

  #plan({ outcome, retryAfterSeconds = 0 }: RunResult): void {
    if (this.#isStopped || outcome === "stopped") {
      return;
    }
    if (outcome === "done") {
      this.#failures = 0;
      this.#wait(POLL_SECONDS);
      return;
    }
    this.#failures += 1;
    this.#notBefore = performance.now() + retryAfterSeconds * 1000;
    const growing = Math.min(FIRST_RETRY_SECONDS * 2 ** (this.#failures - 1), RETRY_SECONDS_MAX);
    const atLeast = isHidden() ? HIDDEN_RETRY_SECONDS : retryAfterSeconds;
    // Spread over time, so that many devices do not come back in the same moment.
    this.#wait(Math.max(atLeast, growing) * (1 + Math.random() / 4));
  }

  #wait(seconds: number): void {
    clearTimeout(this.#timer);
    if (this.#isStopped) {
      return;
    }
    this.#timer = setTimeout(() => {
      if (!isHidden() || this.#hasPending()) {
        void this.syncNow(true);
      }
    }, seconds * 1000);
  }
}

function isHidden(): boolean {
  return typeof document === "object" && document.visibilityState === "hidden";
}
