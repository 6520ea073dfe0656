export { dayIn, isOverdue, localTimeZone } from "./due.js";
export type { StoreOptions } from "./engine.js";
export { canonicalRule } from "./recurrence.js";
export { openStore } from "./store.js";
export type {
  Conflict,
  ConflictField,
  DeleteTaskOptions,
  FieldValue,
  LocalLabel,
  LocalList,
  LocalTask,
  MoveTarget,
  SyncClient,
  SyncStatus,
  TaskFilter,
  TaskMoveTarget,
  TaskSort,
  TaskStore,
} from "./types.js";
