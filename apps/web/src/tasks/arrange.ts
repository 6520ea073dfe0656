import type { LocalTask, TaskFilter } from "@task-platform/client/sync";
import type { View } from "../workspace/view.ts";
import { dueDay } from "./due.ts";

export type StatusFilter = "all" | "pending" | "completed";

/** What to ask of the store for a view; "today" is narrowed by `arrangeTasks`. */
export function filterOf(view: View, status: StatusFilter, search: string): TaskFilter {
  const filter: TaskFilter = {};
  if (view.kind === "inbox") filter.listId = null;
  if (view.kind === "list") filter.listId = view.id;
  if (view.kind === "label") filter.label = view.name;
  if (status !== "all") filter.status = status;
  if (search.trim() !== "") filter.search = search.trim();
  // Lists show subtasks as the progress of theirs; where something is looked for, they count for themselves.
  else if (hasOnlyRows(view)) filter.parentId = null;
  return filter;
}

/** Whether a view leaves out subtasks. */
function hasOnlyRows({ kind }: View): boolean {
  return kind === "inbox" || kind === "list" || kind === "all";
}

/** The order on the page: open tasks as the user arranged them, then completed ones. */
export function arrangeTasks(
  tasks: readonly LocalTask[],
  view: View,
  today: string,
): readonly LocalTask[] {
  const tasksOfView = view.kind === "today" ? dueUntil(tasks, today) : tasks;
  const completed = tasksOfView.filter((task) => task.is_completed);
  if (completed.length === 0) return tasksOfView;
  return [...tasksOfView.filter((task) => !task.is_completed), ...completed];
}

function dueUntil(tasks: readonly LocalTask[], today: string): readonly LocalTask[] {
  return tasks
    .filter((task) => isDueUntil(task, today))
    .sort((a, b) => compare(dueKey(a), dueKey(b)));
}

/** Whether an open task is due today or before, or a completed one was due today. */
export function isDueUntil(task: LocalTask, today: string): boolean {
  if (task.due === null) return false;
  const day = dueDay(task.due);
  return task.is_completed ? day === today : day <= today;
}

function dueKey(task: LocalTask): string {
  return task.due === null ? "" : `${dueDay(task.due)} ${task.due.at ?? ""}`;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
