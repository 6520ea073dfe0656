import type { SyncStatus, TaskStore } from "../sync/index.js";

const STATUS: SyncStatus = { state: "saved", pending: 0, isLoaded: false, isKept: true };
const NOTHING: readonly never[] = [];

function refuse(): never {
  throw new Error("Nobody is signed in, or the local copy is not open yet.");
}

/** What is shown on a server, while nobody is signed in, and before the local copy is open. */
export const EMPTY_STORE: TaskStore = {
  getTasks: () => NOTHING,
  getTask: () => undefined,
  getLists: () => NOTHING,
  getLabels: () => NOTHING,
  getStatus: () => STATUS,
  getConflicts: () => NOTHING,
  subscribe: () => () => undefined,
  createTask: refuse,
  changeTask: refuse,
  deleteTask: refuse,
  moveTask: refuse,
  changeTasks: refuse,
  deleteTasks: refuse,
  createList: refuse,
  changeList: refuse,
  deleteList: refuse,
  moveList: refuse,
  changeLabel: refuse,
  deleteLabel: refuse,
  resolveConflict: refuse,
  dismissProblem: () => undefined,
  sync: () => Promise.resolve(),
  close: () => undefined,
  erase: () => Promise.resolve(),
};
