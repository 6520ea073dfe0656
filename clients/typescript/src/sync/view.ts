import type { DueChange, Label, List, Task } from "../models.js";
import { instantOf } from "./due.js";
import { NEW_TASK, foldCase, normalizeLabels } from "./fields.js";
import {
  type Entry,
  type Item,
  type Key,
  type Pending,
  idOf,
  isSendable,
  keyOf,
} from "./pending.js";
import type { FieldName, Fields, LocalLabel, LocalList, LocalTask } from "./types.js";

/** What shows on a task beside its own entry before the server has confirmed it. */
export interface TaskSurroundings {
  /** The entries of all tasks, to find parents. */
  entryOf: (key: Key) => Entry;
  /** Lists that the user has deleted, and what becomes of their tasks. */
  deletedLists: ReadonlyMap<string, "keep" | "delete">;
  /** New names by the folded old name; null for a deleted label. */
  labelNames: ReadonlyMap<string, string | null>;
}

/** What an earlier version of this package has not stored. */
const ADDED_FIELDS = { recurrence: null, previous_id: null, parent_id: null };

/** The task as the user sees it; undefined if it is deleted or in a deleted list. */
export function showTask(
  key: Key,
  entry: Entry,
  surroundings: TaskSurroundings,
): LocalTask | undefined {
  const { pending } = entry;
  const base = baseOf(key, entry);
  const task = editedTask(key, entry);
  if (base === undefined || task === undefined) {
    return undefined;
  }
  showParent(task, surroundings);
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

/** The parent of a task by its own entry alone: perhaps it is deleted, or not there yet. */
export function parentIdOf(key: Key, entry: Entry): string | null {
  return editedTask(key, entry)?.parent_id ?? null;
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

function baseOf(key: Key, { item, pending }: Entry): Task | undefined {
  return (item ?? pending?.lost ?? createdItem(key, pending)) as Task | undefined;
}

/** The task with the user's edits of it; undefined if it is deleted. */
function editedTask(key: Key, entry: Entry): Task | undefined {
  const { pending } = entry;
  const base = baseOf(key, entry);
  if (base === undefined || isDeleted(pending)) {
    return undefined;
  }
  const task = { ...ADDED_FIELDS, ...base, ...overlay(pending) } as Task;
  task.position = shownPosition(base.position, pending);
  if (pending?.move?.listId !== undefined) {
    task.list_id = pending.move.listId;
  }
  return task;
}

/**
 * A subtask is in the list of its parent. Without its parent it is an ordinary task: the server
 * makes it one when the parent is deleted, and nothing is hidden while the parent is not there yet.
 */
function showParent(task: Task, { entryOf }: TaskSurroundings): void {
  if (task.parent_id === null) {
    return;
  }
  const parentKey = keyOf("task", task.parent_id);
  const parent = editedTask(parentKey, entryOf(parentKey));
  if (parent === undefined) {
    task.parent_id = null;
  } else {
    task.list_id = parent.list_id;
  }
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
    previous_id: null,
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
