import { useConflicts, useSyncStatus, useTaskStore } from "@task-platform/client/react";
import type { TaskStore } from "@task-platform/client/sync";
import { quote } from "../sync/describe-value.ts";

/** What would be lost if this browser removed its copy now. */
export interface UnsavedEdits {
  /** How many tasks, lists and labels have edits that the server does not have. */
  count: number;
  /** What they are called here; what is deleted has no name, so there may be fewer than `count`. */
  names: readonly string[];
}

/** Find edits that wait to be sent, and those in conflicts that nobody has decided yet. */
export function findUnsavedEdits(store: TaskStore): UnsavedEdits {
  const conflicts = store.getConflicts();
  const undecidedIds = new Set(conflicts.map(({ taskId }) => taskId));
  const isUnsaved = ({ id, isPending }: { id: string; isPending: boolean }) =>
    isPending || undecidedIds.has(id);

  const tasks = store.getTasks().filter(isUnsaved);
  const lists = store.getLists().filter(isUnsaved);
  const labels = store.getLabels().filter(isUnsaved);
  const shownIds = new Set([...tasks, ...lists].map(({ id }) => id));
  const deletedOnOneSide = conflicts.filter(({ taskId }) => !shownIds.has(taskId));
  const names = [
    ...tasks.map(({ title }) => quote(title)),
    ...lists.map(({ name }) => `The list ${quote(name)}`),
    ...labels.map(({ name }) => `The label ${quote(name)}`),
    ...deletedOnOneSide.map(({ title }) => quote(title)),
  ];
  return { count: Math.max(store.getStatus().pending, names.length), names };
}

/** The same for a component, which renders again when the number changes. */
export function useUnsavedEdits(): UnsavedEdits {
  const store = useTaskStore();
  useSyncStatus();
  useConflicts();
  return findUnsavedEdits(store);
}
