import type { Entry, Key } from "./pending.js";

/** How far the changes feed has been read. */
export interface Feed {
  /** The sync token of the next request. */
  since: string;
  /** Whether all pages have been read once. */
  isLoaded: boolean;
}

/** Nothing has been read. */
export const EMPTY_FEED: Feed = { since: "0", isLoaded: false };

/** What a storage has: some or all entries, and how far the feed has been read. */
export interface Contents {
  entries: Map<Key, Entry>;
  feed: Feed;
}

/** Returns what takes the place of an entry. */
export type Rewrite = (key: Key, entry: Entry) => Entry;

/** Where the local copy is kept. Each method is one transaction. */
export interface Storage {
  /** Whether the copy outlives the page. */
  readonly isKept: boolean;
  load(): Promise<Contents>;
  /** The entries of these keys, and the feed. */
  read(keys: readonly Key[]): Promise<Contents>;
  /** Replace entries by what `rewrite` makes of them; it must not have side effects. */
  rewrite(keys: readonly Key[], rewrite: Rewrite, feed?: Feed): Promise<Map<Key, Entry>>;
  /** Remove everything, so that no other tab can read it any more. */
  clear(): Promise<void>;
  close(): void;
}

export const NO_ENTRY: Entry = { item: undefined, pending: undefined };

export function isEmpty(entry: Entry): boolean {
  return entry.item === undefined && entry.pending === undefined;
}

/** What stays of an entry when the server's state is discarded: what the user did. */
export function withoutItem({ item, pending }: Entry): Entry {
  return { item: undefined, pending: pending && { ...pending, lost: item ?? pending.lost } };
}

/** Keeps the copy as long as the page lives. */
export class MemoryStorage implements Storage {
  readonly isKept = false;
  #entries: Map<Key, Entry>;
  #feed: Feed;

  constructor(contents: Contents = { entries: new Map(), feed: EMPTY_FEED }) {
    this.#entries = new Map(contents.entries);
    this.#feed = contents.feed;
  }

  load(): Promise<Contents> {
    return Promise.resolve({ entries: new Map(this.#entries), feed: this.#feed });
  }

  read(keys: readonly Key[]): Promise<Contents> {
    const entries = new Map(keys.map((key) => [key, this.#entries.get(key) ?? NO_ENTRY]));
    return Promise.resolve({ entries, feed: this.#feed });
  }

  rewrite(keys: readonly Key[], rewrite: Rewrite, feed?: Feed): Promise<Map<Key, Entry>> {
    const entries = new Map<Key, Entry>();
    for (const key of keys) {
      entries.set(key, rewrite(key, this.#entries.get(key) ?? NO_ENTRY));
    }
    for (const [key, entry] of entries) {
      if (isEmpty(entry)) {
        this.#entries.delete(key);
      } else {
        this.#entries.set(key, entry);
      }
    }
    this.#feed = feed ?? this.#feed;
    return Promise.resolve(entries);
  }

  clear(): Promise<void> {
    this.#entries = new Map();
    this.#feed = EMPTY_FEED;
    return Promise.resolve();
  }

  close(): void {
    // Nothing is open.
  }
}
