import type { DueChange, RecurrenceChange } from "../models.js";
import { normalizeRecurrence, recurrenceKey } from "./recurrence.js";
import type { FieldName, Fields, FieldValue } from "./types.js";

/** What a new task has in the fields that are not sent. */
export const NEW_TASK: Readonly<Fields> = {
  description: null,
  is_completed: false,
  list_id: null,
  due: null,
  priority: "none",
  labels: [],
  recurrence: null,
  parent_id: null,
};

const WHITE_SPACE_AROUND = /^[\s\u0085]+|[\s\u0085]+$/gu;

/** Approximates Unicode's full case folding, by which the server compares names and searches. */
export function foldCase(text: string): string {
  return text.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC");
}

/** Compare for sorting, by code units: the order in which positions, ids and folded names are sorted. */
export function compareTexts(left: string, right: string): number {
  if (left === right) {
    return 0;
  }
  return left < right ? -1 : 1;
}

/** Spell the fields as the server stores them, so that a spelling never looks like an edit. */
export function normalizeFields(fields: object): Fields {
  const { status, ...rest } = fields as Fields & { status?: string };
  const normalized: Fields = {};
  if (status !== undefined) {
    normalized.is_completed = status === "completed";
  }
  for (const [name, value] of Object.entries(rest)) {
    if (isFieldName(name) && value !== undefined) {
      normalized[name] = normalizeValue(name, value);
    }
  }
  return normalized;
}

/** Whether two values of a field are the same to the server. */
export function areEqual(name: FieldName, left: FieldValue, right: FieldValue): boolean {
  if (name === "labels") {
    const leftNames = (left as readonly string[]).map(foldCase).sort();
    const rightNames = (right as readonly string[]).map(foldCase).sort();
    return leftNames.join("\n") === rightNames.join("\n");
  }
  if (name === "due") {
    return dueKey(left as DueChange | null) === dueKey(right as DueChange | null);
  }
  if (name === "recurrence") {
    const [leftKey, rightKey] = [left, right].map((value) =>
      recurrenceKey(value as RecurrenceChange | null),
    );
    return leftKey === rightKey;
  }
  return left === right;
}

/** Apply to `theirs` what was added and removed between `base` and `mine`. */
export function mergeLabels(
  base: readonly string[],
  mine: readonly string[],
  theirs: readonly string[],
): string[] {
  const baseNames = new Set(base.map(foldCase));
  const mineNames = new Set(mine.map(foldCase));
  const kept = theirs.filter(
    (name) => mineNames.has(foldCase(name)) || !baseNames.has(foldCase(name)),
  );
  const added = mine.filter((name) => !baseNames.has(foldCase(name)));
  return normalizeLabels([...kept, ...added]);
}

const FIELD_NAMES: ReadonlySet<string> = new Set<FieldName>([
  "title",
  "description",
  "is_completed",
  "list_id",
  "due",
  "priority",
  "labels",
  "recurrence",
  "parent_id",
  "name",
]);

function isFieldName(name: string): name is FieldName {
  return FIELD_NAMES.has(name);
}

function normalizeValue(name: FieldName, value: FieldValue): FieldValue {
  switch (name) {
    case "title":
    case "name":
      return normalizeLine(value as string);
    case "description":
      return value === null ? null : (value as string).normalize("NFC");
    case "labels":
      return normalizeLabels(value as readonly string[]);
    case "due":
      return normalizeDue(value as DueChange | null);
    case "recurrence":
      return normalizeRecurrence(value as RecurrenceChange | null);
    default:
      return value;
  }
}

function normalizeLine(text: string): string {
  return text.normalize("NFC").replace(WHITE_SPACE_AROUND, "");
}

/** The first spelling of each name, sorted case-insensitively. */
export function normalizeLabels(names: readonly string[]): string[] {
  const byFoldedName = new Map<string, string>();
  for (const name of names.map(normalizeLine)) {
    const folded = foldCase(name);
    if (!byFoldedName.has(folded)) {
      byFoldedName.set(folded, name);
    }
  }
  return [...byFoldedName.keys()].sort().map((folded) => byFoldedName.get(folded) ?? folded);
}

function normalizeDue(due: DueChange | null): DueChange | null {
  if (due === null) {
    return null;
  }
  return { date: due.date, time: due.time ?? null, time_zone: due.time_zone ?? null };
}

function dueKey(due: DueChange | null): string {
  return due === null ? "" : [due.date, due.time ?? "", due.time_zone ?? ""].join(" ");
}
