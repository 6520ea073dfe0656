import type { LocalTask, TaskFilter } from "@task-platform/client/sync";
import type { View } from "../workspace/view.ts";
import { dueDay } from "./due.ts";

export type StatusFilter = "all" | "pending" | "completed";

/** What to ask of the store for a view; "today" is narrowed by `arrangeTasks`. */
export function filterOf(view: View, status: StatusFilter, search: string): TaskFilter {
  return {
    ...(view.kind === "inbox" ? { listId: null } : {}),
    ...(view.kind === "list" ? { listId: view.id } : {}),
    ...(view.kind === "label" ? { label: view.name } : {}),
    ...(status === "all" ? {} : { status }),
    ...(search.trim() === "" ? {} : { search: search.trim() }),
  };
}

/** The order on the page: open tasks as the person put them, then what is done. */
export function arrangeTasks(
  tasks: readonly LocalTask[],
  view: View,
  today: string,
): readonly LocalTask[] {
  const shown = view.kind === "today" ? dueUntil(tasks, today) : tasks;
  const completed = shown.filter((task) => task.is_completed);
  if (completed.length === 0) return shown;
  return [...shown.filter((task) => !task.is_completed), ...completed];
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
