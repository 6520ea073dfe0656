import { useTasks, useTaskStore } from "@task-platform/client/react";
import type { TaskFilter, TaskStore } from "@task-platform/client/sync";
import { useMemo } from "react";
import { showNotice } from "../notices/notices.ts";
import { MenuItem } from "../ui/menu.tsx";

/** The entries of a list's menu that change all its tasks; null stands for the inbox. */
export function BulkItems({ listId }: { listId: string | null }) {
  const store = useTaskStore();
  const { tasks } = useTasks(useMemo(() => rowsOf(listId), [listId]));
  const completed = tasks.filter((task) => task.is_completed).length;
  const open = tasks.length - completed;
  return (
    <>
      <MenuItem
        icon="check"
        isDisabled={open === 0}
        onClick={() => {
          completeAll(store, listId);
        }}
      >
        {withCount("Complete all", open)}
      </MenuItem>
      <MenuItem
        icon="clear"
        isDisabled={completed === 0}
        onClick={() => {
          clearCompleted(store, listId);
        }}
      >
        {withCount("Clear completed", completed)}
      </MenuItem>
    </>
  );
}

function completeAll(store: TaskStore, listId: string | null): void {
  const filter: TaskFilter = { ...rowsOf(listId), status: "pending" };
  const tasks = store.getTasks(filter);
  const repeating = tasks.filter((task) => task.recurrence !== null).length;
  const undo = store.changeTasks(filter, { is_completed: true });
  let text = `Completed ${countTasks(tasks.length)}`;
  if (repeating > 0) text += `, ${repeating.toLocaleString()} of them to come again`;
  showNotice(text, { label: "Undo", run: undo });
}

/** Delete completed tasks with what is completed in their checklists; open subtasks become tasks. */
function clearCompleted(store: TaskStore, listId: string | null): void {
  const filter: TaskFilter = { ...rowsOf(listId), status: "completed" };
  const tasks = store.getTasks(filter);
  const ids = new Set(tasks.map(({ id }) => id));
  const isChild = ({ parent_id }: { parent_id: string | null }) =>
    parent_id !== null && ids.has(parent_id);
  const subtasks = store.getTasks({ listId }).filter(isChild);
  const parentIds = new Set<string>();
  for (const { parent_id, is_completed } of subtasks) {
    if (is_completed && parent_id !== null) parentIds.add(parent_id);
  }

  const undoSubtasks = [...parentIds].map((parentId) =>
    store.deleteTasks({ parentId, status: "completed" }),
  );
  const undoTasks = store.deleteTasks(filter);
  let text = `Cleared ${countTasks(tasks.length)}`;
  const kept = subtasks.filter((task) => !task.is_completed).length;
  if (kept > 0)
    text +=
      kept === 1 ? "; an open subtask stays" : `; ${kept.toLocaleString()} open subtasks stay`;
  showNotice(text, {
    label: "Undo",
    run: () => {
      // Parents first: a subtask comes back to where its parent is.
      undoTasks();
      for (const undo of undoSubtasks) undo();
    },
  });
}

/** The tasks that are rows of a list: subtasks are in the details of theirs. */
function rowsOf(listId: string | null): TaskFilter {
  return { listId, parentId: null };
}

function withCount(label: string, count: number): string {
  return count === 0 ? label : `${label} (${count.toLocaleString()})`;
}

function countTasks(count: number): string {
  return count === 1 ? "1 task" : `${count.toLocaleString()} tasks`;
}
