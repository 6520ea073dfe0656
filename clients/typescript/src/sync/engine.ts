import {
  AuthUnavailableError,
  NetworkError,
  ProblemError,
  SignedOutError,
  TaskPlatformError,
} from "../errors.js";
import { isOffline } from "../http/retries.js";
import { LocalCopy } from "./copy.js";
import { IndexedDbStorage, removeDatabase } from "./indexeddb.js";
import { type Edits, type Entry, type Key, applyEdit } from "./pending.js";
import { type RunResult, Scheduler } from "./scheduler.js";
import {
  type Contents,
  EMPTY_FEED,
  type Feed,
  MemoryStorage,
  type Rewrite,
  type Storage,
} from "./storage.js";
import { type LocalState, Synchronizer } from "./synchronizer.js";
import { type SharedOutcome, StoreTabs, type TabMessage } from "./tabs.js";
import type { SyncClient, SyncStatus } from "./types.js";
import { UnstoredEdits, removeOrphans } from "./unstored.js";

/** Whose local copy to open. */
export interface StoreOptions {
  client: SyncClient;
  /** The subject of the user's tokens, which names the copy: with Better Auth, `session.user.id`. */
  user: string;
  /** Called when nobody, or another user, is signed in; what is not saved stays here. */
  onSignedOut?: (() => void) | undefined;
}

/** Keeps memory, storage, the other tabs and the server in step. */
export class Engine implements LocalState {
  readonly copy = new LocalCopy();
  readonly #options: StoreOptions;
  readonly #name: string;
  readonly #unstored: UnstoredEdits;
  readonly #tabs: StoreTabs;
  readonly #scheduler: Scheduler;
  readonly #synchronizer: Synchronizer;
  readonly #listeners = new Set<() => void>();
  readonly #closing = new AbortController();
  readonly #writes = new Set<Promise<void>>();
  readonly #ready: Promise<void>;
  #storage: Storage = new MemoryStorage();
  #feed: Feed = EMPTY_FEED;
  #isOpening = true;
  #running: Promise<unknown> = Promise.resolve();
  #lastOutcome: SharedOutcome["state"] = "saved";
  #problem: ProblemError | undefined;
  #status: SyncStatus = { state: "saving", pending: 0, isLoaded: false, isKept: true };

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#name = databaseName(options);
    this.#tabs = new StoreTabs(this.#name, (message) => {
      void this.#hear(message);
    });
    // Another user's token must never send what this user did.
    this.#synchronizer = new Synchronizer(options.client.forUser(options.user), this);
    this.#scheduler = new Scheduler(
      (mustRead) => this.#run(mustRead),
      () => this.copy.hasSendable,
    );
    this.#unstored = new UnstoredEdits(this.#name);
    this.#unstored.keepOnLeaving(() => this.copy.queuedEdits(), this.#closing.signal);
    this.#ready = this.#open();
    void this.#ready.then(() => {
      this.#scheduler.start();
    });
  }

  get status(): SyncStatus {
    return this.#status;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Show what the user did at once, keep it, and send it. */
  edit(edits: Edits): void {
    if (this.isClosing) {
      throw new Error("The store is closed.");
    }
    this.copy.queue(edits);
    this.#changed();
    const apply = (key: Key, entry: Entry): Entry => {
      const edit = edits.get(key);
      return edit ? { item: entry.item, pending: applyEdit(key, entry, edit) } : entry;
    };
    const write = this.rewrite([...edits.keys()], apply, undefined, edits);
    this.#writes.add(write);
    void write.then(() => {
      this.#writes.delete(write);
      return this.#scheduler.syncNow(false);
    });
  }

  async sync(): Promise<void> {
    await this.#ready;
    await Promise.all(this.#writes);
    await this.#scheduler.syncNow(true);
  }

  dismissProblem(): void {
    this.#problem = undefined;
    this.#changed();
  }

  close(): void {
    if (this.isClosing) {
      return;
    }
    this.#closing.abort();
    this.#scheduler.stop();
    this.#tabs.close();
    void Promise.allSettled([this.#ready, this.#running, ...this.#writes]).then(() => {
      this.#storage.close();
    });
  }

  async erase(): Promise<void> {
    await Promise.allSettled([this.#ready, ...this.#writes]);
    const storage = this.#storage;
    this.#storage = new MemoryStorage();
    this.#tabs.tell({ type: "erased" });
    this.close();
    this.#forget();
    this.#unstored.take();
    await storage.clear().catch(() => undefined);
    storage.close();
    await removeDatabase(this.#name, () => {
      // A tab that was left meanwhile may have kept edits before it closed the database.
      this.#unstored.removeAll();
    });
  }

  get isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  // What the synchronizer works on.

  /** `edits`: the acts of the user that `rewrite` makes a part of the entries. */
  async rewrite(keys: readonly Key[], rewrite: Rewrite, feed?: Feed, edits?: Edits): Promise<void> {
    await this.#ready;
    const storage = this.#storage;
    let entries: ReadonlyMap<Key, Entry>;
    try {
      entries = await storage.rewrite(keys, rewrite, feed);
    } catch {
      this.#fallBack(storage);
      entries = await this.#storage.rewrite(keys, rewrite, feed);
    }
    if (this.isClosing) {
      return;
    }
    this.#feed = feed ?? this.#feed;
    this.copy.store(entries, edits);
    this.#changed();
    if (keys.length > 0 && this.#storage.isKept) {
      this.#tabs.tell({ type: "changed", keys });
    }
  }

  async readFeed(): Promise<Feed> {
    return (await this.#storage.read([])).feed;
  }

  entry(key: Key): Entry {
    return this.copy.entry(key);
  }

  pendingKeys(): Key[] {
    return [...this.copy.pending.keys()];
  }

  storedKeys(): Key[] {
    return [...this.copy.storedEntries().keys()];
  }

  subtaskKeys(key: Key): Key[] {
    return this.copy.subtaskKeys(key);
  }

  predecessor(key: Key): string | null {
    return this.copy.predecessor(key);
  }

  report(problem: ProblemError): void {
    this.#problem = problem;
    this.#changed();
  }

  noteSuccess(): void {
    this.#lastOutcome = "saved";
  }

  async #open(): Promise<void> {
    try {
      this.#storage = await IndexedDbStorage.open(this.#name, (reason) => {
        if (reason === "erased") {
          this.#forget();
        } else {
          this.#fallBack(this.#storage);
        }
      });
      this.#takeOver(await this.#storage.load());
    } catch {
      // Missing, forbidden, full, or written by a newer version: `isKept` tells it.
    }
    this.#isOpening = false;
    this.#changed();
    this.#applyUnstored();
  }

  /** Do what earlier pages had shown but not stored; perhaps IndexedDB had got it all the same. */
  #applyUnstored(): void {
    if (this.isClosing) {
      return; // the edits wait for the next page
    }
    void removeOrphans();
    for (const { key, edit } of this.#unstored.take()) {
      const { item, pending } = this.copy.entry(key);
      const isThere = item !== undefined || (pending?.create ?? null) !== null;
      if (!(edit.type === "create" && isThere)) {
        this.edit(new Map([[key, edit]]));
      }
    }
  }

  /** Go on in memory with all that was kept so far. */
  #fallBack(failed: Storage): void {
    if (this.#storage === failed) {
      const contents = { entries: this.copy.storedEntries(), feed: this.#feed };
      this.#storage = new MemoryStorage(contents);
      failed.close();
      this.#changed();
    }
  }

  #takeOver({ entries, feed }: Contents): void {
    if (this.isClosing) {
      return;
    }
    this.copy.replaceAll(entries);
    this.#feed = feed;
    this.#changed();
  }

  async #hear(message: TabMessage): Promise<void> {
    switch (message.type) {
      case "changed":
        await this.#ready;
        if (this.#storage.isKept) {
          await this.#readAgain(message.keys);
        }
        break;
      case "synced":
        this.#lastOutcome = message.outcome.state;
        if (message.outcome.hasRead) {
          this.#scheduler.noteRead();
        }
        this.#changed();
        break;
      case "erased":
        this.#forget();
        break;
    }
  }

  async #readAgain(keys: readonly Key[]): Promise<void> {
    const storage = this.#storage;
    try {
      const { entries, feed } = await storage.read(keys);
      if (this.isClosing) {
        return;
      }
      this.#feed = feed;
      this.copy.store(entries);
      this.#changed();
    } catch {
      this.#fallBack(storage);
    }
  }

  #run(mustRead: boolean): Promise<RunResult> {
    const run = this.#runOnce(mustRead);
    this.#running = run;
    return run;
  }

  async #runOnce(mustRead: boolean): Promise<RunResult> {
    let hasRead = false;
    let result: RunResult = { outcome: "done" };
    try {
      const run = async () => {
        hasRead = await this.#synchronizer.run(mustRead);
      };
      await this.#tabs.runAlone(run, this.#closing.signal);
      this.#lastOutcome = "saved";
    } catch (error) {
      result = this.#failed(error);
    }
    if (!this.isClosing) {
      this.#tabs.tell({ type: "synced", outcome: { state: this.#lastOutcome, hasRead } });
      this.#changed();
    }
    return result;
  }

  #failed(error: unknown): RunResult {
    if (this.isClosing) {
      return { outcome: "stopped" };
    }
    const isUnreachable = error instanceof NetworkError || isOffline();
    this.#lastOutcome = isUnreachable ? "offline" : "not-saved";
    if (!(error instanceof TaskPlatformError)) {
      // A fault of this package: shown as every uncaught error, while the edits stay pending.
      queueMicrotask(() => {
        throw error;
      });
    }
    if (error instanceof SignedOutError) {
      this.#options.onSignedOut?.();
      return { outcome: "stopped" };
    }
    const isDelayed = error instanceof ProblemError || error instanceof AuthUnavailableError;
    return {
      outcome: "failed",
      retryAfterSeconds: isDelayed ? error.retryAfterSeconds : undefined,
    };
  }

  /** The user has signed out, here or in another tab: show nothing any more. */
  #forget(): void {
    const wasOpen = !this.isClosing;
    this.close();
    this.copy.clear();
    this.#feed = EMPTY_FEED;
    this.#problem = undefined;
    this.#changed();
    if (wasOpen) {
      this.#options.onSignedOut?.();
    }
  }

  /** Bring the status up to date, and tell the listeners. */
  #changed(): void {
    const pending = this.copy.pending.size;
    const state = this.#stateNow();
    const { isLoaded } = this.#feed;
    const isKept = this.#isOpening || this.#storage.isKept;
    const problem = this.#problem;
    const status = { state, pending, isLoaded, isKept, ...(problem && { problem }) };
    if (!areSame(status, this.#status)) {
      this.#status = status;
    }
    for (const listener of [...this.#listeners]) {
      listener();
    }
  }

  #stateNow(): SyncStatus["state"] {
    if (this.#lastOutcome !== "saved") {
      return this.#lastOutcome;
    }
    return this.copy.hasSendable ? "saving" : "saved";
  }
}

function databaseName({ client, user }: StoreOptions): string {
  const base = typeof location === "object" ? location.href : undefined;
  return `task-platform ${new URL(client.url, base).origin} ${user}`;
}

function areSame(left: SyncStatus, right: SyncStatus): boolean {
  return (
    left.state === right.state &&
    left.pending === right.pending &&
    left.isLoaded === right.isLoaded &&
    left.isKept === right.isKept &&
    left.problem === right.problem
  );
}
