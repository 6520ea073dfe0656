import type { Due, List } from "@task-platform/client";
import { describeDue } from "../tasks/due.ts";

const FIELDS: Record<string, string> = {
  title: "The title",
  name: "The name",
  description: "The notes",
  due: "The due date",
  list_id: "The list",
  priority: "The priority",
  labels: "The labels",
  is_completed: "The state",
  is_deleted: "The existence",
};

/** A field as the beginning of a sentence. */
export function describeField(field: string): string {
  return FIELDS[field] ?? "A part";
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
