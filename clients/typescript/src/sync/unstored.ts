import { newId } from "./ids.js";
import type { Edit, Key } from "./pending.js";

/** An edit that the user sees and IndexedDB does not have yet. */
export interface UnstoredEdit {
  key: Key;
  edit: Edit;
}

const SEPARATOR = " unstored ";

/** How long what a page has kept may take to reach a page of another process. */
const ARRIVAL_SECONDS = 60;

/**
 * The edits of pages that were left before IndexedDB had stored them. IndexedDB would lose what it
 * has not finished by then, while localStorage writes at once.
 *
 * Each page has an item of its own: pages that are left at the same time do not see what the
 * others write, and one that comes back must not remove the edits of another.
 */
export class UnstoredEdits {
  readonly #prefix: string;
  readonly #itemName: string;

  /** `name`: that of the database. */
  constructor(name: string) {
    this.#prefix = name + SEPARATOR;
    this.#itemName = this.#prefix + newId();
  }

  /** Keep the edits of this page when it is left. */
  keepOnLeaving(unstoredEdits: () => readonly UnstoredEdit[], signal: AbortSignal): void {
    if (typeof document !== "object") {
      return;
    }
    const leave = () => {
      const edits = unstoredEdits();
      if (edits.length > 0) {
        attempt(() => {
          localStorage.setItem(this.#itemName, JSON.stringify(edits));
        });
      }
    };
    const comeBack = ({ persisted }: PageTransitionEvent) => {
      if (persisted) {
        // The page was not left after all, and stores its edits itself.
        attempt(() => {
          localStorage.removeItem(this.#itemName);
        });
      }
    };
    window.addEventListener("pagehide", leave, { signal });
    window.addEventListener("pageshow", comeBack, { signal });
  }

  /** Return the edits of all pages in the order in which they were made, and forget them. */
  take(): UnstoredEdit[] {
    const edits: UnstoredEdit[] = [];
    attempt(() => {
      for (const itemName of itemNames().filter((name) => name.startsWith(this.#prefix))) {
        const item = localStorage.getItem(itemName) ?? "[]";
        localStorage.removeItem(itemName);
        edits.push(...(JSON.parse(item) as UnstoredEdit[]));
      }
    });
    return edits.sort((left, right) => left.edit.order - right.edit.order);
  }

  /** Remove the edits of all pages, now that the database is gone. */
  removeAll(): void {
    this.take();
    if (typeof document === "object") {
      // Storage and databases take different ways between processes: edits that a page kept before
      // it closed the database may become visible here after that.
      const arrive = () => void removeOrphans();
      const signal = AbortSignal.timeout(ARRIVAL_SECONDS * 1000);
      window.addEventListener("storage", arrive, { signal });
    }
  }
}

/**
 * Remove edits whose database is gone. A page that hangs while another one signs its user out
 * keeps its edits too late to be told.
 */
export async function removeOrphans(): Promise<void> {
  if (typeof document !== "object") {
    return;
  }
  try {
    const databases = await indexedDB.databases();
    const names = new Set(databases.map(({ name }) => name));
    for (const itemName of itemNames().filter((candidate) => candidate.includes(SEPARATOR))) {
      if (!names.has(itemName.slice(0, itemName.lastIndexOf(SEPARATOR)))) {
        localStorage.removeItem(itemName);
      }
    }
  } catch {
    // As in `attempt`, or the browser cannot list its databases.
  }
}

function itemNames(): string[] {
  const names = Object.keys(localStorage);
  return names.filter((name) => name.startsWith("task-platform "));
}

/** Where storage is missing, forbidden or full, nothing is kept: `isKept` tells it. */
function attempt(access: () => void): void {
  try {
    access();
  } catch {
    // As above.
  }
}
