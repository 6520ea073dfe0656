import { withoutSettledConflicts } from "./conflicts.js";
import { areEqual, mergeLabels } from "./fields.js";
import {
  type Creation,
  type Deletion,
  type Entry,
  type FieldEdit,
  type Item,
  type Key,
  type Kind,
  type Pending,
  copyOf,
  fieldsOf,
  idOf,
  isSendable,
  kindOf,
  unlessEmpty,
  without,
} from "./pending.js";
import type { FieldName, Fields, FieldValue } from "./types.js";

/** A request that brings the server closer to what the user sees. */
export interface Sending {
  step: "create" | "change" | "delete" | "move";
  method: "PUT" | "PATCH" | "DELETE" | "POST";
  path: string;
  query?: Record<string, string>;
  headers: Record<string, string>;
  body?: unknown;
  /** The fields in the body. */
  fields: Fields;
}

/** What to send for an item now, and what is pending from then on. */
export interface Preparation {
  entry: Entry;
  sending: Sending | undefined;
}

/** What is sent one after the other: lists and parents exist before their tasks; lists go after them. */
export const PHASES = [
  "lists",
  "labels",
  "tasks",
  "subtasks",
  "task-moves",
  "list-deletions",
] as const;

export type Phase = (typeof PHASES)[number];

/** In which phase the next step of an item is sent. */
export function phaseOf(key: Key, pending: Pending): Phase {
  switch (kindOf(key)) {
    case "list":
      return pending.deletion === null ? "lists" : "list-deletions";
    case "label":
      return "labels";
    case "task":
      return taskPhaseOf(pending);
  }
}

function taskPhaseOf(pending: Pending): Phase {
  if (pending.move !== null && !hasEdits(pending)) {
    return "task-moves";
  }
  const parentId = pending.create?.fields.parent_id ?? pending.edits.parent_id?.mine ?? null;
  return parentId === null ? "tasks" : "subtasks";
}

/** Compare what the user did with the server's state, and decide what to send next. */
export function prepare(key: Key, entry: Entry): Preparation {
  const { item } = entry;
  const pending = copyOf(entry.pending);
  if (pending === undefined || !isSendable(pending)) {
    return { entry, sending: undefined };
  }
  const { create, deletion } = pending;
  let sending: Sending | undefined;
  if (create !== null) {
    sending = creationOf(key, pending, create);
  } else if (deletion !== null) {
    sending = deletionOf(key, item, pending, deletion);
  } else if (item !== undefined) {
    sending = changeOf(key, item, pending) ?? moveOf(key, pending);
  } else {
    // The feed has been read: the item was deleted elsewhere.
    return { entry: confirmMissing(key, { item, pending }), sending };
  }
  return { entry: { item, pending: unlessEmpty(pending) }, sending };
}

/** The state after the server has answered with the item, or with nothing to a deletion. */
export function confirm(key: Key, entry: Entry, sending: Sending, answer: Item | undefined): Entry {
  const pending = copyOf(entry.pending);
  const item = newerOf(entry.item, answer);
  if (pending === undefined) {
    return { item: sending.step === "delete" ? undefined : item, pending };
  }
  switch (sending.step) {
    case "create":
      pending.create = null;
      break;
    case "change":
      confirmEdits(key, pending, sending.fields, item);
      break;
    case "move":
      pending.move = laterMove(pending, sending);
      break;
    case "delete":
      pending.deletion = null;
      return { item: undefined, pending: unlessEmpty(pending) };
  }
  return { item, pending: unlessEmpty(pending) };
}

/** The state after a creation was answered with "exists": an earlier attempt has arrived. */
export function confirmExisting(key: Key, entry: Entry, current: Item): Entry {
  const pending = copyOf(entry.pending);
  if (pending !== undefined) {
    pending.create = null;
  }
  return receive(key, { item: entry.item, pending: pending && unlessEmpty(pending) }, current);
}

/** The state after the item was found to be deleted elsewhere. */
export function confirmMissing(key: Key, entry: Entry): Entry {
  const pending = copyOf(entry.pending);
  if (pending === undefined) {
    return { item: undefined, pending };
  }
  if (pending.create !== null) {
    // A creation that has arrived without our knowing was deleted since.
    const isGone = pending.create.isSent && !pending.create.isRestored;
    return { item: undefined, pending: isGone ? undefined : pending };
  }
  const isEdited = hasEdits(pending) || Object.keys(pending.conflicts).length > 0;
  const lost = entry.item ?? pending.lost;
  if (kindOf(key) !== "task" || pending.deletion !== null || !isEdited || lost === null) {
    return { item: undefined, pending: undefined };
  }
  pending.lost = lost;
  pending.move = null;
  pending.conflicts.is_deleted = { base: false, mine: false };
  return { item: undefined, pending };
}

/** The state after the server has returned the item as it is now. */
export function receive(key: Key, entry: Entry, item: Item): Entry {
  const pending = entry.pending && { ...entry.pending, lost: null };
  return withoutSettledConflicts(key, { item: newerOf(entry.item, item), pending });
}

/** The state after the neighbour of a move was not found: once more after another one. */
export function moveAfter(entry: Entry, after: string | null): Entry {
  const pending = copyOf(entry.pending);
  if (pending?.move != null) {
    const { isRetried } = pending.move;
    pending.move = isRetried ? null : { ...pending.move, after, isRetried: true };
  }
  return { item: entry.item, pending: pending && unlessEmpty(pending) };
}

/** The state after the server has made an ordinary task of a subtask. */
export function withoutParent({ item, pending }: Entry): Entry {
  return { item: item && { ...item, parent_id: null }, pending };
}

function hasEdits(pending: Pending): boolean {
  return (
    pending.create !== null || pending.deletion !== null || Object.keys(pending.edits).length > 0
  );
}

function creationOf(key: Key, pending: Pending, create: Creation): Sending {
  pending.create = { ...create, isSent: true };
  const headers = { "If-None-Match": "*" };
  const isSubtask = (create.fields.parent_id ?? null) !== null;
  // Its parent may be in another list by now: the server takes the list of the parent.
  const fields = isSubtask ? without(create.fields, ["list_id"]) : create.fields;
  return { step: "create", method: "PUT", path: pathOf(key), headers, body: fields, fields };
}

function deletionOf(
  key: Key,
  item: Item | undefined,
  pending: Pending,
  deletion: Deletion,
): Sending | undefined {
  const headers: Record<string, string> = {};
  if (kindOf(key) === "task" && item !== undefined) {
    if (wasChanged(kindOf(key), item, deletion.seen)) {
      pending.deletion = null;
      pending.conflicts.is_deleted = { base: false, mine: true };
      return undefined;
    }
    headers["If-Match"] = etagOf(item);
  }
  pending.deletion = { ...deletion, isSent: true };
  const sending: Sending = {
    step: "delete",
    method: "DELETE",
    path: pathOf(key),
    headers,
    fields: {},
  };
  if (kindOf(key) === "list") {
    sending.query = { tasks: deletion.tasks };
  }
  return sending;
}

function changeOf(key: Key, item: Item, pending: Pending): Sending | undefined {
  const fields: Fields = {};
  const serverFields = fieldsOf(kindOf(key), item);
  for (const [field, edit] of Object.entries(pending.edits)) {
    const name = field as FieldName;
    const merged = kindOf(key) === "label" ? edit : merge(name, edit, serverFields[name]);
    if (merged === "conflict") {
      pending.conflicts[name] = { base: edit.base, mine: edit.mine };
    }
    if (merged === "arrived" || merged === "conflict") {
      pending.edits = without(pending.edits, [name]);
      continue;
    }
    pending.edits[name] = { ...merged, sent: [...merged.sent, merged.mine] };
    fields[name] = merged.mine;
  }
  if (Object.keys(fields).length === 0) {
    return undefined;
  }
  const headers: Record<string, string> = {};
  if (kindOf(key) !== "label") {
    headers["If-Match"] = etagOf(item);
  }
  return { step: "change", method: "PATCH", path: pathOf(key), headers, body: fields, fields };
}

/** Three-way comparison of one field: the user's edit against the server's value. */
function merge(
  name: FieldName,
  edit: FieldEdit,
  theirs: FieldValue,
): FieldEdit | "arrived" | "conflict" {
  if (areEqual(name, theirs, edit.mine)) {
    return "arrived";
  }
  const isOwn = edit.sent.some((value) => areEqual(name, theirs, value));
  if (isOwn || areEqual(name, theirs, edit.base) || isLostParent(name, theirs)) {
    return { ...edit, base: theirs };
  }
  if (name === "labels") {
    const merged = mergeLabels(namesOf(edit.base), namesOf(edit.mine), namesOf(theirs));
    return areEqual(name, theirs, merged) ? "arrived" : { ...edit, base: theirs, mine: merged };
  }
  return "conflict";
}

/** A task loses its parent when that is deleted: nobody has decided about the task itself. */
function isLostParent(name: FieldName, theirs: FieldValue): boolean {
  return name === "parent_id" && theirs === null;
}

function namesOf(labels: FieldValue): readonly string[] {
  return Array.isArray(labels) ? (labels as readonly string[]) : [];
}

function moveOf(key: Key, pending: Pending): Sending | undefined {
  if (pending.move === null) {
    return undefined;
  }
  const { after, listId } = pending.move;
  const fields: Fields = listId === undefined ? {} : { list_id: listId };
  const body = { after, ...fields };
  return { step: "move", method: "POST", path: `${pathOf(key)}/move`, headers: {}, body, fields };
}

function confirmEdits(key: Key, pending: Pending, sent: Fields, item: Item | undefined): void {
  const serverFields = item === undefined ? sent : fieldsOf(kindOf(key), item);
  for (const [field, value] of Object.entries(sent)) {
    const name = field as FieldName;
    const edit = pending.edits[name];
    if (edit === undefined) {
      continue;
    }
    if (areEqual(name, edit.mine, value)) {
      pending.edits = without(pending.edits, [name]);
    } else {
      // The user has edited the field again meanwhile.
      pending.edits[name] = { base: serverFields[name], mine: edit.mine, sent: [] };
    }
  }
}

/** The move that the user has made since another one was sent; null if there is none. */
export function laterMove(pending: Pending, sending: Sending): Pending["move"] {
  const { move } = pending;
  const sent = sending.body as { after: string | null };
  const isSent = move?.after === sent.after && move.listId === sending.fields.list_id;
  return isSent ? null : move;
}

function wasChanged(kind: Kind, item: Item, seen: Fields): boolean {
  const serverFields = fieldsOf(kind, item);
  return Object.entries(seen).some(([field, value]) => {
    const name = field as FieldName;
    const theirs = serverFields[name];
    return value !== undefined && !areEqual(name, theirs, value) && !isLostParent(name, theirs);
  });
}

function newerOf(stored: Item | undefined, received: Item | undefined): Item | undefined {
  if (stored === undefined || received === undefined) {
    return received ?? stored;
  }
  return received.version > stored.version ? received : stored;
}

function pathOf(key: Key): string {
  return `/${kindOf(key)}s/${idOf(key)}`;
}

function etagOf(item: Item): string {
  return `"${String(item.version)}"`;
}
