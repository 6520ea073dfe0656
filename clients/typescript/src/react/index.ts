export {
  type Loaded,
  useConflicts,
  useLabels,
  useLists,
  useSubtasks,
  useSyncStatus,
  useTasks,
} from "./hooks.js";
export { TaskPlatformProvider, type TaskPlatformProviderProps, useTaskStore } from "./provider.js";
export {
  forgetUser,
  type RememberedUser,
  type SessionResult,
  useRememberedUser,
} from "./remembered-user.js";
