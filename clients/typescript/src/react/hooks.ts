import { useCallback, useSyncExternalStore } from "react";

import type {
  Conflict,
  LocalLabel,
  LocalList,
  LocalTask,
  SyncStatus,
  TaskFilter,
  TaskStore,
} from "../sync/index.js";
import { EMPTY_STORE } from "./empty-store.js";
import { useTaskStore } from "./provider.js";

/** What is read of the local copy; `isLoaded` is false until the first complete copy is there. */
export interface Loaded {
  isLoaded: boolean;
}

/** The tasks that match, in order; the component renders again when they change. */
export function useTasks(filter: TaskFilter = {}): Loaded & { tasks: readonly LocalTask[] } {
  const tasks = useStore((store) => store.getTasks(filter));
  return { tasks, isLoaded: useSyncStatus().isLoaded };
}

/** The subtasks of a task, in order; the progress is `completed` of `subtasks.length`. */
export function useSubtasks(
  parentId: string,
): Loaded & { subtasks: readonly LocalTask[]; completed: number } {
  const { tasks, isLoaded } = useTasks({ parentId });
  const completed = tasks.filter((task) => task.is_completed).length;
  return { subtasks: tasks, completed, isLoaded };
}

/** All lists, in the order arranged by hand. */
export function useLists(): Loaded & { lists: readonly LocalList[] } {
  const lists = useStore((store) => store.getLists());
  return { lists, isLoaded: useSyncStatus().isLoaded };
}

/** All labels by name. */
export function useLabels(): Loaded & { labels: readonly LocalLabel[] } {
  const labels = useStore((store) => store.getLabels());
  return { labels, isLoaded: useSyncStatus().isLoaded };
}

/** Whether everything is saved, for a status line. */
export function useSyncStatus(): SyncStatus {
  return useStore((store) => store.getStatus());
}

/** What was changed here and elsewhere; decide with `resolveConflict` of the store. */
export function useConflicts(): readonly Conflict[] {
  return useStore((store) => store.getConflicts());
}

function useStore<Value>(read: (store: TaskStore) => Value): Value {
  const store = useTaskStore();
  const subscribe = useCallback((listener: () => void) => store.subscribe(listener), [store]);
  return useSyncExternalStore(
    subscribe,
    () => read(store),
    () => read(EMPTY_STORE),
  );
}
