import { type DBSchema, type IDBPDatabase, deleteDB, openDB } from "idb";

import type { Entry, Item, Key, Pending } from "./pending.js";
import {
  type Contents,
  EMPTY_FEED,
  type Feed,
  NO_ENTRY,
  type Rewrite,
  type Storage,
  withoutItem,
} from "./storage.js";

const SCHEMA_VERSION = 1;

/** How long a removal waits for other tabs; their copy is empty already. */
const REMOVAL_SECONDS = 3;

interface Schema extends DBSchema {
  /** What the server returned last. */
  items: { key: Key; value: Item };
  /** What the user did since. */
  outbox: { key: Key; value: Pending };
  feed: { key: "feed"; value: Feed };
}

const STORES = ["items", "outbox", "feed"] as const;

/** Keeps the copy in IndexedDB, where all tabs of the origin share it. */
export class IndexedDbStorage implements Storage {
  readonly isKept = true;
  readonly #database: IDBPDatabase<Schema>;

  private constructor(database: IDBPDatabase<Schema>) {
    this.#database = database;
  }

  /**
   * Open or create a database. Rejects where IndexedDB is missing, forbidden or full, and where a
   * newer version of this package has written the database. `onLost`: another tab removes
   * ("erased") or upgrades it, or the browser has closed it.
   */
  static async open(
    name: string,
    onLost: (reason: "erased" | "closed") => void,
  ): Promise<IndexedDbStorage> {
    const database = await openDB<Schema>(name, SCHEMA_VERSION, {
      upgrade(opened) {
        for (const store of STORES) {
          opened.createObjectStore(store);
        }
      },
      blocking(_version, nextVersion) {
        database.close();
        onLost(nextVersion === null ? "erased" : "closed");
      },
      terminated() {
        onLost("closed");
      },
    });
    return new IndexedDbStorage(database);
  }

  async load(): Promise<Contents> {
    const transaction = this.#database.transaction(STORES);
    const items = transaction.objectStore("items");
    const outbox = transaction.objectStore("outbox");
    const [itemKeys, itemValues, pendingKeys, pendingValues, feed] = await Promise.all([
      items.getAllKeys(),
      items.getAll(),
      outbox.getAllKeys(),
      outbox.getAll(),
      transaction.objectStore("feed").get("feed"),
    ]);
    const entries = new Map<Key, Entry>();
    itemKeys.forEach((key, index) => {
      entries.set(key, { item: itemValues[index], pending: undefined });
    });
    pendingKeys.forEach((key, index) => {
      entries.set(key, { item: entries.get(key)?.item, pending: pendingValues[index] });
    });
    return { entries, feed: feed ?? EMPTY_FEED };
  }

  async read(keys: readonly Key[]): Promise<Contents> {
    const transaction = this.#database.transaction(STORES);
    const [feed, ...found] = await Promise.all([
      transaction.objectStore("feed").get("feed"),
      ...keys.map(async (key) => {
        const [item, pending] = await Promise.all([
          transaction.objectStore("items").get(key),
          transaction.objectStore("outbox").get(key),
        ]);
        return { item, pending };
      }),
    ]);
    const entries = new Map(keys.map((key, index) => [key, found[index] ?? NO_ENTRY]));
    return { entries, feed: feed ?? EMPTY_FEED };
  }

  async rewrite(
    keys: readonly Key[],
    rewrite: Rewrite,
    feed?: Feed,
  ): Promise<Map<Key, Entry>> {
    const transaction = this.#database.transaction(STORES, "readwrite");
    const items = transaction.objectStore("items");
    const outbox = transaction.objectStore("outbox");
    const writes: Promise<unknown>[] = [];
    const rewriteOne = async (key: Key): Promise<[Key, Entry]> => {
      const [item, pending] = await Promise.all([items.get(key), outbox.get(key)]);
      const entry = rewrite(key, { item, pending });
      if (entry.item !== item) {
        writes.push(entry.item === undefined ? items.delete(key) : items.put(entry.item, key));
      }
      if (entry.pending !== pending) {
        const { pending: changed } = entry;
        writes.push(changed === undefined ? outbox.delete(key) : outbox.put(changed, key));
      }
      return [key, entry];
    };
    try {
      const entries = await Promise.all(keys.map(rewriteOne));
      if (feed !== undefined) {
        writes.push(transaction.objectStore("feed").put(feed, "feed"));
      }
      await Promise.all([...writes, transaction.done]);
      return new Map(entries);
    } catch (error) {
      // The other promises of a failed transaction are rejected as well.
      await Promise.allSettled([...writes, transaction.done]);
      throw error;
    }
  }

  async discardItems(): Promise<Contents> {
    const transaction = this.#database.transaction(STORES, "readwrite");
    const items = transaction.objectStore("items");
    const outbox = transaction.objectStore("outbox");
    const feeds = transaction.objectStore("feed");
    for (let cursor = await outbox.openCursor(); cursor !== null; ) {
      const item = await items.get(cursor.key);
      const { pending = cursor.value } = withoutItem({ item, pending: undefined }, cursor.value);
      await cursor.update(pending);
      cursor = await cursor.continue();
    }
    const feed = await feeds.get("feed");
    await Promise.all([
      items.clear(),
      feeds.put({ ...EMPTY_FEED, subject: feed?.subject ?? null }, "feed"),
      transaction.done,
    ]);
    return this.load();
  }

  close(): void {
    this.#database.close();
  }

  /** Clear the database at once, then remove it, as soon as other tabs have closed it. */
  async erase(): Promise<void> {
    const { name } = this.#database;
    const transaction = this.#database.transaction(STORES, "readwrite");
    await Promise.all([
      ...STORES.map((store) => transaction.objectStore(store).clear()),
      transaction.done,
    ]);
    this.#database.close();
    await Promise.race([deleteDB(name), pause(REMOVAL_SECONDS)]);
  }
}

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
