import type { DueChange, Label, List, Task } from "../models.js";
import { instantOf } from "./due.js";
import { NEW_TASK, foldCase, normalizeLabels } from "./fields.js";
import { type Entry, type Item, type Key, type Pending, idOf, isSendable } from "./pending.js";
import type { FieldName, Fields, LocalLabel, LocalList, LocalTask } from "./types.js";

/** Edits of lists and labels that show on tasks before the server has confirmed them. */
export interface TaskSurroundings {
  /** Lists that the user has deleted, and what becomes of their tasks. */
  deletedLists: ReadonlyMap<string, "keep" | "delete">;
  /** New names by the folded old name; null for a deleted label. */
  labelNames: ReadonlyMap<string, string | null>;
}

/** The task as the user sees it; undefined if it is deleted or in a deleted list. */
export function showTask(
  key: Key,
  entry: Entry,
  surroundings: TaskSurroundings,
): LocalTask | undefined {
  const { pending } = entry;
  const base = (entry.item ?? pending?.lost ?? createdItem(key, pending)) as Task | undefined;
  if (base === undefined || isDeleted(pending)) {
    return undefined;
  }
  const task = { ...base, ...overlay(pending) } as Task;
  task.position = shownPosition(base.position, pending);
  if (pending?.move?.listId !== undefined) {
    task.list_id = pending.move.listId;
  }
  const { deletedLists, labelNames } = surroundings;
  const listDeletion = task.list_id === null ? undefined : deletedLists.get(task.list_id);
  if (listDeletion === "delete") {
    return undefined;
  }
  if (listDeletion === "keep") {
    task.list_id = null;
  }
  task.labels = renameLabels(task.labels, labelNames);
  if (pending?.edits.due !== undefined || pending?.create != null) {
    task.due = shownDue(task.due);
  }
  showCompletion(task, base, pending);
  return { ...task, isPending: isPending(pending) };
}

export function showList(key: Key, entry: Entry): LocalList | undefined {
  const { pending } = entry;
  const list = (entry.item ?? pending?.lost ?? createdItem(key, pending)) as List | undefined;
  if (list === undefined || isDeleted(pending)) {
    return undefined;
  }
  const position = shownPosition(list.position, pending);
  return { ...list, ...overlay(pending), position, isPending: isPending(pending) } as LocalList;
}

export function showLabel(entry: Entry): Omit<LocalLabel, "task_count"> | undefined {
  const { pending } = entry;
  const label = entry.item as Label | undefined;
  if (label === undefined || isDeleted(pending)) {
    return undefined;
  }
  return { ...label, ...overlay(pending), isPending: isPending(pending) } as LocalLabel;
}

/** The names of a task's labels after renamings and deletions. */
export function renameLabels(
  names: readonly string[],
  newNames: ReadonlyMap<string, string | null>,
): string[] {
  if (!names.some((name) => newNames.has(foldCase(name)))) {
    return names as string[];
  }
  const labels: string[] = [];
  for (const name of names) {
    const newName = newNames.get(foldCase(name));
    if (newName !== null) {
      labels.push(newName ?? name);
    }
  }
  return normalizeLabels(labels);
}

function isDeleted(pending: Pending | undefined): boolean {
  return pending?.deletion != null;
}

function isPending(pending: Pending | undefined): boolean {
  return pending !== undefined && isSendable(pending);
}

function overlay(pending: Pending | undefined): Fields {
  if (pending === undefined) {
    return {};
  }
  const fields: Fields = pending.create === null ? {} : { ...pending.create.fields };
  for (const edits of [pending.edits, pending.conflicts]) {
    for (const [name, { mine }] of Object.entries(edits)) {
      if (name !== "is_deleted") {
        fields[name as FieldName] = mine;
      }
    }
  }
  return fields;
}

function shownPosition(position: string, pending: Pending | undefined): string {
  return pending?.move?.position ?? pending?.create?.position ?? position;
}

function createdItem(key: Key, pending: Pending | undefined): Item | undefined {
  if (pending?.create == null) {
    return undefined;
  }
  const { createdAt, position, fields } = pending.create;
  const item = {
    id: idOf(key),
    user_id: "",
    version: 0,
    position,
    created_at: createdAt,
    updated_at: createdAt,
    completed_at: null,
    status: "pending",
    ...NEW_TASK,
    ...fields,
  };
  return item as unknown as Item;
}

function shownDue(due: DueChange | null): Task["due"] {
  if (due === null) {
    return null;
  }
  const { date, time = null, time_zone = null } = due;
  const isTimed = time !== null && time_zone !== null;
  const at = isTimed ? instantOf(date, time, time_zone) : null;
  return { date, time, time_zone, at };
}

/** Derive from `is_completed` what the server derives from it; `base` is the task without edits. */
function showCompletion(task: Task, base: Task, pending: Pending | undefined): void {
  task.status = task.is_completed ? "completed" : "pending";
  if (!task.is_completed) {
    task.completed_at = null;
  } else if (!base.is_completed || base.completed_at === null) {
    task.completed_at = pending?.editedAt ?? null;
  }
}
