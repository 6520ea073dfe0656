"use client";

// What server components resolve, which must not run the hooks. Bundlers for browsers warn of the
// directive, so the modules themselves are without it.
export {
  forgetUser,
  TaskPlatformProvider,
  useConflicts,
  useLabels,
  useLists,
  useRememberedUser,
  useSubtasks,
  useSyncStatus,
  useTasks,
  useTaskStore,
} from "./index.js";
