import { type DBSchema, type IDBPDatabase, deleteDB, openDB } from "idb";

import type { Entry, Item, Key, Pending } from "./pending.js";
import {
  type Contents,
  EMPTY_FEED,
  type Feed,
  NO_ENTRY,
  type Rewrite,
  type Storage,
} from "./storage.js";

const SCHEMA_VERSION = 1;

/** How long to wait for other tabs, which close the database when they are told. */
const TIMEOUT_SECONDS = 3;

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
    let isLate = false;
    const opening = openDB<Schema>(name, SCHEMA_VERSION, {
      upgrade(database) {
        for (const store of STORES) {
          database.createObjectStore(store);
        }
      },
      blocking(_version, nextVersion, event) {
        (event.target as IDBDatabase).close();
        onLost(nextVersion === null ? "erased" : "closed");
      },
      terminated() {
        onLost("closed");
      },
    });
    void opening.then(
      (database) => {
        if (isLate) {
          database.close();
        }
      },
      () => undefined,
    );
    const database = await withinSeconds(TIMEOUT_SECONDS, opening).catch((error: unknown) => {
      isLate = true;
      throw error;
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

  async rewrite(keys: readonly Key[], rewrite: Rewrite, feed?: Feed): Promise<Map<Key, Entry>> {
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

  async clear(): Promise<void> {
    const transaction = this.#database.transaction(STORES, "readwrite");
    const clearings = STORES.map((store) => transaction.objectStore(store).clear());
    await Promise.all([...clearings, transaction.done]);
  }

  close(): void {
    this.#database.close();
  }
}

/**
 * Remove a database, at the latest as soon as the last tab that uses it has closed it. Waits for
 * that only a few seconds; `onRemoved` is called whenever it is.
 */
export async function removeDatabase(name: string, onRemoved: () => void): Promise<void> {
  try {
    await withinSeconds(TIMEOUT_SECONDS, deleteDB(name).then(onRemoved));
  } catch {
    // There is no storage here, or a tab that does not react: the database is empty already.
  }
}

/** Rejects if the browser takes longer, as it does while another tab uses another version. */
async function withinSeconds<Value>(seconds: number, promise: Promise<Value>): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timedOut = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`IndexedDB has not answered within ${String(seconds)} seconds.`));
    }, seconds * 1000);
  });
  try {
    return await Promise.race([promise, timedOut]);
  } finally {
    clearTimeout(timer);
  }
}
