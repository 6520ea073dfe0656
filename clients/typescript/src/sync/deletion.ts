import type { LocalCopy } from "./copy.js";
import { type Act, fieldsOf } from "./pending.js";
import type { DeleteTaskOptions, LocalTask } from "./types.js";

/** An act on the task with this id. */
export type TaskAct = readonly [id: string, act: Act];

/** How to delete tasks, and how to undo it. */
export interface DeletionPlan {
  deletions: TaskAct[];
  restorations: TaskAct[];
  /** Subtasks that stay, and have no parent from then on. */
  orphans: LocalTask[];
}

/** Plan the deletion of these tasks; in `copy` are their subtasks and neighbours. */
export function planDeletion(
  tasks: readonly LocalTask[],
  { subtasks: fate = "keep" }: DeleteTaskOptions,
  copy: LocalCopy,
): DeletionPlan {
  const deleted = new Map(tasks.map((task) => [task.id, task]));
  const subtasks = tasks.flatMap((task) => copy.subtasksOf(task.id));
  if (fate === "delete") {
    for (const subtask of subtasks) {
      deleted.set(subtask.id, subtask);
    }
  }
  // A subtask whose parent goes first gets a new version on the server: its own deletion would need it.
  const inOrder = [...deleted.values()].sort(
    (left, right) => Number(left.parent_id === null) - Number(right.parent_id === null),
  );
  return {
    deletions: inOrder.map(({ id }) => [id, { type: "delete", tasks: "keep" }]),
    restorations: planRestoration(deleted, copy),
    orphans: subtasks.filter(({ id }) => !deleted.has(id)),
  };
}

function planRestoration(deleted: ReadonlyMap<string, LocalTask>, copy: LocalCopy): TaskAct[] {
  const acts: TaskAct[] = [];
  const listIds = new Set(Array.from(deleted.values(), (task) => task.list_id));
  for (const listId of listIds) {
    const siblings = copy.findTasks({ listId });
    const lastStaying = siblings.map(({ id }) => deleted.has(id)).lastIndexOf(false);
    siblings.forEach((task, index) => {
      if (deleted.has(task.id)) {
        // Tasks that are created again come last by themselves, one after the other.
        const after = index > lastStaying ? undefined : (siblings[index - 1]?.id ?? null);
        const fields = fieldsOf("task", task);
        acts.push([task.id, { type: "restore", fields, position: task.position, after }]);
      }
    });
  }
  return acts;
}
