import type { Due, List } from "@task-platform/client";
import type { Conflict } from "@task-platform/client/sync";
import { describeDue } from "../tasks/due.ts";

const FIELDS = {
  description: "The notes",
  due: "The due date",
  list_id: "The list",
  priority: "The priority",
  labels: "The labels",
  is_completed: "The state",
} as const;

/** The field of a conflict as the beginning of a sentence; a title is shown in full beside it. */
export function describeField({ kind, field, title }: Conflict): string {
  if (field === "title") return "The title of a task";
  if (field === "name") return "The name of a list";
  if (field === "is_deleted") return `The ${kind} “${title}”`;
  return `${FIELDS[field]} of “${title}”`;
}

/** The value of a field as people see it elsewhere on the page. */
export function describeValue(
  field: string,
  value: unknown,
  lists: readonly List[],
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
  }
  if (typeof value === "string" && value !== "") return value;
  return "Nothing";
}

function isDue(value: unknown): value is Due {
  return typeof value === "object" && value !== null && "date" in value;
}
