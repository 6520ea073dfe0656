import type { Client } from "../client.js";
import type { ProblemError } from "../errors.js";
import type {
  Due,
  DueChange,
  Label,
  List,
  Recurrence,
  RecurrenceChange,
  Task,
  TaskChange,
  TaskCreate,
} from "../models.js";

/** What the store needs of a client. */
export type SyncClient = Pick<Client, "url" | "tokens" | "request" | "forUser">;

/** A task with the user's own edits applied; `version` is 0 until the server knows it. */
export type LocalTask = Task & { readonly isPending: boolean };

/** A list with the user's own edits applied. */
export type LocalList = List & { readonly isPending: boolean };

/** A label with the user's own edits applied; `task_count` counts the tasks of the local copy. */
export type LocalLabel = Label & { readonly isPending: boolean; readonly task_count: number };

/** An order of tasks; `-` reverses it, and tasks without the value come last in both directions. */
export type TaskSort =
  | "position"
  | "-position"
  | "created_at"
  | "-created_at"
  | "updated_at"
  | "-updated_at"
  | "title"
  | "-title"
  | "due"
  | "-due"
  | "priority"
  | "-priority";

/** Which tasks to show; what is absent does not matter. */
export interface TaskFilter {
  /** The tasks of one list; null stands for the inbox. */
  listId?: string | null | undefined;
  /** The subtasks of one task; null stands for tasks without a parent. */
  parentId?: string | null | undefined;
  status?: "pending" | "completed" | undefined;
  /** Plain text that title or description contains, ignoring case. */
  search?: string | undefined;
  /** The name of a label, ignoring case. */
  label?: string | undefined;
  /** `position` if absent: the order arranged by hand. */
  sort?: TaskSort | undefined;
}

/** How far the server knows what the user did. */
export interface SyncStatus {
  /**
   * `saved`: nothing is left to send. `offline`: the server was not reached. `not-saved`: it, or the
   * sign-in, does not work now.
   */
  readonly state: "saved" | "saving" | "offline" | "not-saved";
  /**
   * The number of tasks, lists and labels with edits that the server has not confirmed. In the state
   * `saved` these are edits with a conflict, which wait for a decision of the user.
   */
  readonly pending: number;
  /** False until the first complete copy is there. */
  readonly isLoaded: boolean;
  /** False: this browser keeps nothing, because storage is missing, forbidden or full. */
  readonly isKept: boolean;
  /** The last refusal; its `fields` say what is wrong. The edit that caused it has been undone. */
  readonly problem?: ProblemError;
}

/** Both versions of a field that was changed here and elsewhere; kept until the user decides. */
export interface Conflict {
  readonly id: string;
  readonly kind: "task" | "list";
  /** The id of the task, or of the list if `kind` is `list`. */
  readonly taskId: string;
  readonly title: string;
  /** `is_deleted`: deleted on one side and changed on the other. */
  readonly field: ConflictField;
  /** The value that both sides started from. */
  readonly base: FieldValue;
  readonly mine: FieldValue;
  readonly theirs: FieldValue;
}

/** A field of a task or list that a user edits. */
export type FieldName =
  | "title"
  | "description"
  | "is_completed"
  | "list_id"
  | "due"
  | "priority"
  | "labels"
  | "recurrence"
  | "parent_id"
  | "name";

/** What becomes of the subtasks of a deleted task: they stay as ordinary tasks by default. */
export interface DeleteTaskOptions {
  subtasks?: "keep" | "delete";
}

/** A field of a conflict, or `is_deleted`: deleted on one side and changed on the other. */
export type ConflictField = FieldName | "is_deleted";
/** The value of a field; undefined if it is not known. */
export type FieldValue =
  | string
  | boolean
  | null
  | Due
  | DueChange
  | Recurrence
  | RecurrenceChange
  | readonly string[]
  | undefined;
/** Some fields of an item with their values. */
export type Fields = Partial<Record<FieldName, FieldValue>>;

/** Where to move a list. */
export interface MoveTarget {
  /** The id of the item to insert after; null moves to the front. */
  after: string | null;
}

/** Where to move a task. */
export interface TaskMoveTarget extends MoveTarget {
  /** The list to move to, null for the inbox; absent: the list that the task is in. */
  list_id?: string | null;
}

/**
 * The local copy of one user's tasks, lists and labels: read and edit it at any time.
 *
 * Edits are shown at once and sent later. They throw if the store is closed, or if the task or list
 * to change does not exist; what the server refuses is undone, and `SyncStatus.problem` says why.
 *
 * The methods need no `this`: `useSyncExternalStore(store.subscribe, store.getConflicts)` works.
 */
export interface TaskStore {
  /** The tasks that match, in order; the same array until one of them changes. */
  readonly getTasks: (filter?: TaskFilter) => readonly LocalTask[];
  readonly getTask: (id: string) => LocalTask | undefined;
  /** All lists, in the order arranged by hand. */
  readonly getLists: () => readonly LocalList[];
  /** All labels by name. */
  readonly getLabels: () => readonly LocalLabel[];
  readonly getStatus: () => SyncStatus;
  /** What waits for a decision by `resolveConflict`. */
  readonly getConflicts: () => readonly Conflict[];
  /** Call `listener` after every change of what the getters return; the result unsubscribes. */
  readonly subscribe: (listener: () => void) => () => void;

  readonly createTask: (fields: TaskCreate) => LocalTask;
  /** Change the fields that are sent. `seen`: their values when the user began to edit. */
  readonly changeTask: (id: string, fields: TaskChange, options?: { seen?: TaskChange }) => void;
  /** Delete a task; the result undoes it, also after the server has confirmed it. */
  readonly deleteTask: (id: string, options?: DeleteTaskOptions) => () => void;
  readonly moveTask: (id: string, target: TaskMoveTarget) => void;
  /**
   * Change all tasks that match now. The result undoes it where a field still has the value that
   * it got: completed tasks are open again, and the server takes back what followed them.
   */
  readonly changeTasks: (filter: TaskFilter, fields: TaskChange) => () => void;
  /** Delete all tasks that match now; the result undoes it. */
  readonly deleteTasks: (filter: TaskFilter, options?: DeleteTaskOptions) => () => void;

  readonly createList: (fields: { name: string }) => LocalList;
  readonly changeList: (
    id: string,
    fields: { name: string },
    options?: { seen?: { name: string } },
  ) => void;
  /** Delete a list; its tasks move to the inbox, or are deleted with `tasks: "delete"`. */
  readonly deleteList: (id: string, options?: { tasks?: "keep" | "delete" }) => void;
  readonly moveList: (id: string, target: MoveTarget) => void;

  /** Rename a label on all tasks. */
  readonly changeLabel: (id: string, fields: { name: string }) => void;
  /** Remove a label from all tasks. */
  readonly deleteLabel: (id: string) => void;

  /** Keep one of both values; it is sent like any other edit. */
  readonly resolveConflict: (conflict: Conflict, choice: "mine" | "theirs") => void;
  /** Forget `status.problem`, for example once the user has read it. */
  readonly dismissProblem: () => void;
  /** Send what is pending and read what is new; resolves also when nothing could be sent. */
  readonly sync: () => Promise<void>;
  /** Stop syncing; the local copy stays for the next time. */
  readonly close: () => void;
  /**
   * Stop syncing and remove the local copy from this browser, in all tabs. What is not saved is lost:
   * see `pending` of the status.
   */
  readonly erase: () => Promise<void>;
}
