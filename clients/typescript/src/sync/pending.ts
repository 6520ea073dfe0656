import type { Label, List, Task } from "../models.js";
import { NEW_TASK, areEqual } from "./fields.js";
import type { ConflictField, FieldName, Fields, FieldValue } from "./types.js";

export type Kind = "task" | "list" | "label";
export type Item = Task | List | Label;

/** Names one item in the local copy. */
export type Key = `${Kind}:${string}`;

/** One item: as the server last returned it, and what the user did to it since. */
export interface Entry {
  item: Item | undefined;
  pending: Pending | undefined;
}

/** What the user did to one item and the server has not confirmed, already merged. */
export interface Pending {
  /** Items are sent in this order. */
  order: number;
  /** When the user last edited the item (RFC 3339). */
  editedAt: string;
  create: Creation | null;
  edits: Partial<Record<FieldName, FieldEdit>>;
  move: Move | null;
  deletion: Deletion | null;
  conflicts: Partial<Record<ConflictField, FieldConflict>>;
  /** The item as it was before it was deleted elsewhere, while the user decides about that. */
  lost: Item | null;
}

/** The creation of an item that the server has not confirmed. */
export interface Creation {
  fields: Fields;
  createdAt: string;
  position: string;
  /** From then on, the server may know the item. */
  isSent: boolean;
  /** The item is created again after a deletion. */
  isRestored: boolean;
}

/** The edit of one field that the server has not confirmed. */
export interface FieldEdit {
  /** What the user saw before. */
  base: FieldValue;
  mine: FieldValue;
  /** Values that were sent: the server may have one of them without our knowing. */
  sent: readonly FieldValue[];
}

interface Move {
  after: string | null;
  /** Absent: the list that the task is in. */
  listId?: string | null;
  /** Where the item is shown until the server answers. */
  position: string;
  order: number;
  /** The neighbour was not found, and has been chosen anew. */
  isRetried: boolean;
}

/** The deletion of an item that the server has not confirmed. */
export interface Deletion {
  /** What the user saw, to notice a change elsewhere. */
  seen: Fields;
  isSent: boolean;
  tasks: "keep" | "delete";
  /** What an undo brings back as long as nothing was sent. */
  previous: Pending | undefined;
}

interface FieldConflict {
  base: FieldValue;
  mine: FieldValue;
}

/** What the user can do to one item. */
export type Act =
  | { type: "create"; fields: Fields; position: string }
  | { type: "change"; fields: Fields; seen: Fields }
  | { type: "delete"; tasks: "keep" | "delete" }
  | { type: "restore"; fields: Fields; position: string; after?: string | null | undefined }
  | { type: "move"; after: string | null; listId?: string | null | undefined; position: string }
  | { type: "resolve"; field: ConflictField; choice: "mine" | "theirs"; theirs: FieldValue };

/** An act and when it was done; plain data, so that it can be applied again in storage. */
export type Edit = Act & { at: string; order: number };

/** Acts that are done at once, one for each item. */
export type Edits = ReadonlyMap<Key, Edit>;

export function keyOf(kind: Kind, id: string): Key {
  return `${kind}:${id}`;
}

export function kindOf(key: Key): Kind {
  return key.slice(0, key.indexOf(":")) as Kind;
}

export function idOf(key: Key): string {
  return key.slice(key.indexOf(":") + 1);
}

/** The fields of an item that users edit. */
export function fieldsOf(kind: Kind, item: Item): Fields {
  if (kind !== "task") {
    return { name: (item as List | Label).name };
  }
  const { title, description, is_completed, list_id, due, priority, labels } = item as Task;
  // What an earlier version of this package has stored has no fields that came later.
  const { recurrence = null, parent_id = null } = item as Partial<Task>;
  return {
    title,
    description,
    is_completed,
    list_id,
    due,
    priority,
    labels,
    recurrence,
    parent_id,
  };
}

/** Whether there is something to send; not while the user decides about a deletion. */
export function isSendable(pending: Pending): boolean {
  if (pending.conflicts.is_deleted !== undefined) {
    return false;
  }
  return (
    pending.create !== null ||
    pending.deletion !== null ||
    pending.move !== null ||
    Object.keys(pending.edits).length > 0
  );
}

/** The pending state, or undefined if nothing is left of it. */
export function unlessEmpty(pending: Pending): Pending | undefined {
  const hasConflicts = Object.keys(pending.conflicts).length > 0;
  return hasConflicts || isSendable(pending) ? pending : undefined;
}

function emptyPending(edit: { at: string; order: number }): Pending {
  return {
    order: edit.order,
    editedAt: edit.at,
    create: null,
    edits: {},
    move: null,
    deletion: null,
    conflicts: {},
    lost: null,
  };
}

/** Merge an act of the user into what is pending for the item; changes neither argument. */
export function applyEdit(key: Key, entry: Entry, edit: Edit): Pending | undefined {
  const pending = copyOf(entry.pending) ?? emptyPending(edit);
  pending.editedAt = edit.at;
  switch (edit.type) {
    case "create":
      pending.create = creation(edit, false);
      break;
    case "change":
      change(key, entry.item, pending, edit);
      break;
    case "delete":
      return remove(key, entry, pending, edit);
    case "restore":
      return restore(entry, pending, edit);
    case "move":
      move(pending, edit);
      break;
    case "resolve":
      return resolve(key, entry, pending, edit);
  }
  return unlessEmpty(pending);
}

/** The value of a field with the user's edits, without those that wait for a decision. */
export function editedValue(
  key: Key,
  item: Item | undefined,
  pending: Pending,
  name: FieldName,
): FieldValue {
  const edit = pending.edits[name];
  if (edit !== undefined) {
    return edit.mine;
  }
  if (name === "list_id" && pending.move?.listId !== undefined) {
    return pending.move.listId;
  }
  if (pending.create !== null) {
    return pending.create.fields[name] ?? NEW_TASK[name];
  }
  const lastItem = item ?? pending.lost;
  return lastItem === null ? undefined : fieldsOf(kindOf(key), lastItem)[name];
}

/** A copy whose records can be changed without changing the original. */
export function copyOf(pending: Pending | undefined): Pending | undefined {
  if (pending === undefined) {
    return undefined;
  }
  return { ...pending, edits: { ...pending.edits }, conflicts: { ...pending.conflicts } };
}

/** The record without some of its keys. */
export function without<Value extends object>(record: Value, names: readonly string[]): Value {
  const rest = Object.entries(record).filter(([name]) => !names.includes(name));
  return Object.fromEntries(rest) as Value;
}

function creation(
  edit: { fields: Fields; at: string; position: string },
  isRestored: boolean,
): Creation {
  return {
    fields: edit.fields,
    createdAt: edit.at,
    position: edit.position,
    isSent: false,
    isRestored,
  };
}

function change(
  key: Key,
  item: Item | undefined,
  pending: Pending,
  edit: Extract<Edit, { type: "change" }>,
): void {
  const isUnsent = pending.create?.isSent === false;
  if (pending.create !== null && isUnsent) {
    const fields = { ...pending.create.fields, ...edit.fields };
    pending.create = { ...pending.create, fields };
  }
  for (const [field, mine] of Object.entries(edit.fields)) {
    const name = field as FieldName;
    if (isUnsent && pending.edits[name] === undefined) {
      continue;
    }
    const conflict = pending.conflicts[name];
    if (conflict !== undefined) {
      pending.conflicts[name] = { ...conflict, mine };
      continue;
    }
    const current = editedValue(key, item, pending, name);
    const seen = name in edit.seen ? edit.seen[name] : current;
    if (areEqual(name, seen, current) || areEqual(name, mine, current)) {
      const earlier = pending.edits[name] ?? earlierEdit(key, item, pending, name, current);
      pending.edits[name] = { ...earlier, mine };
    } else {
      pending.conflicts[name] = { base: seen, mine };
    }
    if (name === "list_id" && pending.move !== null) {
      pending.move = null;
    }
  }
  if ((edit.fields.parent_id ?? null) !== null) {
    // A subtask is in the list of its parent: the server refuses another one beside it.
    pending.edits = without(pending.edits, ["list_id"]);
    pending.conflicts = without(pending.conflicts, ["list_id"]);
    pending.move = pending.move?.listId === undefined ? pending.move : null;
  }
}

/** What an edit starts from: a move to another list may have arrived or not. */
function earlierEdit(
  key: Key,
  item: Item | undefined,
  pending: Pending,
  name: FieldName,
  current: FieldValue,
): Omit<FieldEdit, "mine"> {
  const isMoved = name === "list_id" && pending.move?.listId !== undefined;
  if (!isMoved || item === undefined) {
    return { base: current, sent: [] };
  }
  return { base: fieldsOf(kindOf(key), item)[name], sent: [current] };
}

function remove(
  key: Key,
  entry: Entry,
  pending: Pending,
  edit: Extract<Edit, { type: "delete" }>,
): Pending | undefined {
  if (pending.create !== null && !pending.create.isSent && entry.item === undefined) {
    return undefined;
  }
  const { tasks } = edit;
  const seen = entry.item === undefined ? {} : fieldsOf(kindOf(key), entry.item);
  // What the user has edited may be on the server or not: both is what the user saw.
  for (const name of [...Object.keys(pending.edits), ...Object.keys(pending.conflicts)]) {
    seen[name as FieldName] = undefined;
  }
  const isSent = pending.deletion?.isSent ?? false;
  const deletion: Deletion = { seen, isSent, tasks, previous: entry.pending };
  return { ...emptyPending(edit), deletion };
}

function restore(
  entry: Entry,
  pending: Pending,
  edit: Extract<Edit, { type: "restore" }>,
): Pending | undefined {
  const { deletion } = pending;
  if (deletion !== null && !deletion.isSent) {
    return deletion.previous;
  }
  if (deletion === null && (entry.item !== undefined || entry.pending !== undefined)) {
    return entry.pending;
  }
  const restored = emptyPending(edit);
  restored.create = creation(edit, true);
  // They matter if the deletion has not arrived: then the task has not got them yet.
  restored.edits = deletion?.previous?.edits ?? {};
  restored.conflicts = deletion?.previous?.conflicts ?? {};
  if (edit.after !== undefined) {
    const { after, position, order } = edit;
    restored.move = { after, position, order, isRetried: false };
  }
  return restored;
}

function move(pending: Pending, edit: Extract<Edit, { type: "move" }>): void {
  const { after, listId, position, order } = edit;
  const earlierListId = pending.move?.listId;
  pending.move = { after, position, order, isRetried: false };
  const target = listId === undefined ? earlierListId : listId;
  if (target !== undefined) {
    pending.move.listId = target;
    delete pending.edits.list_id;
    delete pending.conflicts.list_id;
  }
}

function resolve(
  key: Key,
  entry: Entry,
  pending: Pending,
  edit: Extract<Edit, { type: "resolve" }>,
): Pending | undefined {
  const { field, choice, theirs } = edit;
  const conflict = pending.conflicts[field];
  if (conflict === undefined) {
    return unlessEmpty(pending);
  }
  if (field === "is_deleted") {
    return resolveDeletion(key, entry, pending, edit);
  }
  pending.conflicts = without(pending.conflicts, [field]);
  if (choice === "mine") {
    // An edit that is not sent yet was made from what the server has.
    const earlier = pending.edits[field] ?? { base: theirs, sent: [] };
    pending.edits[field] = { ...earlier, mine: conflict.mine };
  }
  return unlessEmpty(pending);
}

/** "Mine" deletes again what was changed elsewhere, or creates again what was deleted there. */
function resolveDeletion(
  key: Key,
  entry: Entry,
  pending: Pending,
  edit: Extract<Edit, { type: "resolve" }>,
): Pending | undefined {
  if (edit.choice === "theirs") {
    return undefined;
  }
  if (pending.conflicts.is_deleted?.mine === true) {
    const deletion = { at: edit.at, order: edit.order, type: "delete", tasks: "keep" } as const;
    return remove(key, entry, emptyPending(edit), deletion);
  }
  if (pending.lost === null) {
    return undefined;
  }
  const fields: Fields = fieldsOf(kindOf(key), pending.lost);
  for (const [name, { mine }] of Object.entries(pending.edits)) {
    fields[name as FieldName] = mine;
  }
  const { position } = pending.lost as Task;
  const create = creation({ fields, at: edit.at, position }, true);
  return { ...emptyPending(edit), create, edits: pending.edits };
}
