export { dayIn, isOverdue, localTimeZone } from "./due.js";
export type { StoreOptions } from "./engine.js";
export { openStore } from "./store.js";
export type {
  Conflict,
  ConflictField,
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
