import type { List, Task } from "../models.js";
import { areEqual } from "./fields.js";
import {
  type Entry,
  type Key,
  type Pending,
  copyOf,
  editedValue,
  idOf,
  kindOf,
  unlessEmpty,
  without,
} from "./pending.js";
import type { Conflict, ConflictField, FieldName } from "./types.js";

/** All conflicts that wait for a decision of the user. */
export function conflictsOf(
  pending: ReadonlyMap<Key, Pending>,
  entryOf: (key: Key) => Entry,
): Conflict[] {
  const conflicts: Conflict[] = [];
  for (const [key, { conflicts: undecided }] of pending) {
    for (const field of Object.keys(undecided)) {
      const conflict = conflictOf(key, entryOf(key), field as ConflictField);
      if (conflict !== undefined) {
        conflicts.push(conflict);
      }
    }
  }
  return conflicts;
}

function conflictOf(key: Key, entry: Entry, field: ConflictField): Conflict | undefined {
  const { item, pending } = entry;
  const undecided = pending?.conflicts[field];
  const kind = kindOf(key);
  if (pending === undefined || undecided === undefined || kind === "label") {
    return undefined;
  }
  const { base, mine } = undecided;
  const lastItem = item ?? pending.lost;
  const title =
    kind === "task" ? (lastItem as Task | null)?.title : (lastItem as List | null)?.name;
  const theirs = field === "is_deleted" ? mine !== true : editedValue(key, item, pending, field);
  const id = `${key}:${field}`;
  return { id, kind, taskId: idOf(key), title: title ?? "", field, base, mine, theirs };
}

/** The entry without conflicts in which both sides have come to the same value. */
export function withoutSettledConflicts(key: Key, entry: Entry): Entry {
  const pending = copyOf(entry.pending);
  if (pending === undefined || entry.item === undefined) {
    return entry;
  }
  let isSettled = false;
  for (const [field, { mine }] of Object.entries(pending.conflicts)) {
    if (field === "is_deleted") {
      continue;
    }
    const name = field as FieldName;
    if (areEqual(name, mine, editedValue(key, entry.item, pending, name))) {
      pending.conflicts = without(pending.conflicts, [name]);
      isSettled = true;
    }
  }
  return isSettled ? { item: entry.item, pending: unlessEmpty(pending) } : entry;
}
