import type { ProblemError } from "../errors.js";
import { areEqual } from "./fields.js";
import {
  type Creation,
  type Entry,
  type Pending,
  copyOf,
  unlessEmpty,
  without,
} from "./pending.js";
import { type Sending, laterMove } from "./send.js";
import type { FieldName } from "./types.js";

/**
 * The state after the server has refused a request for good: without the fields that it names,
 * or without all that was sent if it names none, or a new item cannot do without them.
 */
export function undo(entry: Entry, sending: Sending, problem: ProblemError): Entry {
  const pending = copyOf(entry.pending);
  if (pending === undefined) {
    return entry;
  }
  const refused = refusedFields(sending, problem);
  switch (sending.step) {
    case "create":
      pending.create = creationWithout(pending.create, refused, pending.edits);
      if (pending.create === null) {
        return { item: entry.item, pending: undefined };
      }
      break;
    case "change":
      pending.edits = without(pending.edits, unchangedSince(pending, sending, refused));
      break;
    case "move":
      pending.move = laterMove(pending, sending);
      break;
    case "delete":
      pending.deletion = null;
      break;
  }
  return { item: entry.item, pending: unlessEmpty(pending) };
}

/** The fields that a code means although the problem need not name them. */
const REFUSED_FIELDS: Partial<Record<ProblemError["code"], readonly FieldName[]>> = {
  // The list was deleted elsewhere; the task goes where the server puts such tasks: to the inbox.
  "list-not-found": ["list_id"],
  // In the same way, the task becomes one without a parent.
  "parent-not-found": ["parent_id"],
  "nested-too-deep": ["parent_id"],
  // Whichever of them was edited: the server refuses it beside the other one, or without it.
  contradiction: ["list_id", "parent_id", "recurrence"],
  "recurrence-without-due": ["recurrence", "due"],
  "recurrence-never": ["recurrence"],
};

function refusedFields(sending: Sending, problem: ProblemError): string[] {
  const sent = Object.keys(sending.fields);
  const named = new Set(Object.keys(problem.fields).map((name) => name.split(".")[0]));
  for (const name of REFUSED_FIELDS[problem.code] ?? []) {
    named.add(name);
  }
  const refused = sent.filter((name) => named.has(name));
  return refused.length > 0 ? refused : sent;
}

/** The creation with what the user has made of the refused fields since, or without them. */
function creationWithout(
  create: Creation | null,
  refused: readonly string[],
  edits: Pending["edits"],
): Creation | null {
  if (create === null) {
    return null;
  }
  const fields = without(create.fields, refused);
  for (const field of refused) {
    const name = field as FieldName;
    const edit = edits[name];
    if (edit !== undefined && !areEqual(name, edit.mine, create.fields[name])) {
      fields[name] = edit.mine;
    }
  }
  const isNamed = fields.title !== undefined || fields.name !== undefined;
  return isNamed ? { ...create, fields } : null;
}

/** Those of the fields that the user has not edited again since they were sent. */
function unchangedSince(pending: Pending, sending: Sending, fields: readonly string[]): string[] {
  return fields.filter((field) => {
    const name = field as FieldName;
    const edit = pending.edits[name];
    return edit === undefined || areEqual(name, edit.mine, sending.fields[name]);
  });
}
