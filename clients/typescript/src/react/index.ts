"use client";

export {
  type Loaded,
  useConflicts,
  useLabels,
  useLists,
  useSyncStatus,
  useTasks,
} from "./hooks.js";
export { TaskPlatformProvider, type TaskPlatformProviderProps, useTaskStore } from "./provider.js";
