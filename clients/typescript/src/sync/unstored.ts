import type { Edit, Key } from "./pending.js";

/** An edit that the user sees and IndexedDB does not have yet. */
export interface UnstoredEdit {
  key: Key;
  edit: Edit;
}

/**
 * Keep the edits of a page that is being left. IndexedDB would lose what it has not finished by
 * then, while localStorage writes at once.
 */
export function keepUnstoredOnLeaving(
  name: string,
  unstoredEdits: () => readonly UnstoredEdit[],
  signal: AbortSignal,
): void {
  if (typeof window !== "object") {
    return;
  }
  const leave = () => {
    const edits = unstoredEdits();
    if (edits.length > 0) {
      attempt(() => {
        localStorage.setItem(itemName(name), JSON.stringify([...read(name), ...edits]));
      });
    }
  };
  const comeBack = ({ persisted }: PageTransitionEvent) => {
    if (persisted) {
      // The page was not left after all, and stores its edits itself.
      takeUnstored(name);
    }
  };
  window.addEventListener("pagehide", leave, { signal });
  window.addEventListener("pageshow", comeBack, { signal });
}

/** Return these edits, and forget them. */
export function takeUnstored(name: string): UnstoredEdit[] {
  const edits = read(name);
  attempt(() => {
    localStorage.removeItem(itemName(name));
  });
  return edits;
}

function read(name: string): UnstoredEdit[] {
  let edits: UnstoredEdit[] = [];
  attempt(() => {
    edits = JSON.parse(localStorage.getItem(itemName(name)) ?? "[]") as UnstoredEdit[];
  });
  return edits;
}

function itemName(name: string): string {
  return `${name} unstored`;
}

/** Where storage is missing, forbidden or full, nothing is kept: `isKept` tells it. */
function attempt(access: () => void): void {
  try {
    access();
  } catch {
    // As above.
  }
}
