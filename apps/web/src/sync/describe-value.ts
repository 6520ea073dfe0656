import type { Due, List } from "@task-platform/client";
import type { Conflict } from "@task-platform/client/sync";
import { describeRecurrence, type Recurrence } from "../recurrence/describe.ts";
import { describeDue } from "../tasks/due.ts";

const FIELDS = {
  description: "The notes",
  due: "The due date",
  list_id: "The list",
  priority: "The priority",
  labels: "The labels",
  is_completed: "The state",
  recurrence: "The repetition",
  parent_id: "The parent task",
} as const;

const NAME_MAX = 40;

/** A title or name in quotation marks, shortened so that a sentence can be read around it. */
export function quote(name: string): string {
  const characters = Array.from(name);
  if (characters.length <= NAME_MAX) return `“${name}”`;
  return `“${characters.slice(0, NAME_MAX).join("").trimEnd()}…”`;
}

/** The beginning of a sentence about edits that the server does not have. */
export function describeUnsavedEdits(count: number): string {
  return count === 1 ? "One edit is" : `${count.toLocaleString()} edits are`;
}

/** The field of a conflict as the beginning of a sentence. */
export function describeField({ kind, field, title, base }: Conflict): string {
  // The name that both sides knew; the two new ones are shown in full below.
  const name = quote(typeof base === "string" ? base : title);
  if (field === "title") return `The title of ${name}`;
  if (field === "name") return `The name of the list ${name}`;
  if (field === "is_deleted") return `The ${kind} ${quote(title)}`;
  return `${FIELDS[field]} of ${quote(title)}`;
}

/** The value of a field as people see it elsewhere on the page. */
export function describeValue(
  field: string,
  value: unknown,
  lists: readonly List[],
  titleOf: (taskId: string) => string | undefined,
  now: Date,
): string {
  switch (field) {
    case "is_completed":
      return value === true ? "Completed" : "Open";
    case "is_deleted":
      return value === true ? "Deleted" : "Changed";
    case "list_id":
      return lists.find(({ id }) => id === value)?.name ?? "Inbox";
    case "labels":
      return Array.isArray(value) && value.length > 0 ? value.join(", ") : "No labels";
    case "due":
      return isDue(value) ? describeDue(value, now) : "No date";
    case "recurrence":
      return isRecurrence(value) ? describeRecurrence(value) : "Does not repeat";
    case "parent_id":
      if (typeof value !== "string") return "A task of its own";
      return titleOf(value) ?? "A task that is not here any more";
  }
  if (typeof value === "string" && value !== "") return value;
  return "Nothing";
}

function isRecurrence(value: unknown): value is Recurrence {
  return typeof value === "object" && value !== null && "rule" in value;
}

function isDue(value: unknown): value is Due {
  return typeof value === "object" && value !== null && "date" in value;
}
