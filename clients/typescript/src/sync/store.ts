import type { TaskChange, TaskCreate } from "../models.js";
import { timestampOf } from "./due.js";
import { Engine, type StoreOptions } from "./engine.js";
import { normalizeFields } from "./fields.js";
import { newId } from "./ids.js";
import { type Act, type Key, type Kind, fieldsOf, keyOf } from "./pending.js";
import { positionBetween, positionOf } from "./position.js";
import type {
  Conflict,
  FieldName,
  Fields,
  LocalLabel,
  LocalList,
  LocalTask,
  MoveTarget,
  SyncStatus,
  TaskFilter,
  TaskMoveTarget,
  TaskStore,
} from "./types.js";

/** Open the local copy of a user's tasks; it loads and syncs by itself until `close`. */
export function openStore(options: StoreOptions): TaskStore {
  return new Store(new Engine(options));
}

/** Fields that are shown as they are stored, so that a difference is an edit in another tab. */
const PLAIN_FIELDS: readonly FieldName[] = ["title", "description", "name"];

/** Its methods are bound to it, so that they can be handed on, as to React's `useSyncExternalStore`. */
class Store implements TaskStore {
  readonly #engine: Engine;
  #lastOrder = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  readonly subscribe = (listener: () => void): (() => void) => this.#engine.subscribe(listener);

  readonly getTasks = (filter: TaskFilter = {}): readonly LocalTask[] => {
    return this.#engine.copy.findTasks(filter);
  };

  readonly getTask = (id: string): LocalTask | undefined => {
    return this.#engine.copy.tasks.get(id);
  };

  readonly getLists = (): readonly LocalList[] => {
    return this.#engine.copy.lists;
  };

  readonly getLabels = (): readonly LocalLabel[] => {
    return this.#engine.copy.labels;
  };

  readonly getStatus = (): SyncStatus => {
    return this.#engine.status;
  };

  readonly getConflicts = (): readonly Conflict[] => {
    return this.#engine.copy.conflicts;
  };

  readonly createTask = (fields: TaskCreate): LocalTask => {
    const id = newId();
    const normalized = normalizeFields(fields);
    const siblings = this.getTasks({ listId: (normalized.list_id ?? null) as string | null });
    const position = lastPosition(siblings);
    this.#edit("task", id, { type: "create", fields: normalized, position });
    return this.#task(id);
  };

  readonly changeTask = (
    id: string,
    fields: TaskChange,
    options: { seen?: TaskChange } = {},
  ): void => {
    this.#change("task", id, this.#task(id), fields, options.seen);
  };

  readonly deleteTask = (id: string): (() => void) => {
    const task = this.#task(id);
    const siblings = this.getTasks({ listId: task.list_id });
    const index = siblings.indexOf(task);
    const isLast = index === siblings.length - 1;
    // A task that is created again comes last by itself.
    const after = isLast ? undefined : (siblings[index - 1]?.id ?? null);
    this.#edit("task", id, { type: "delete", tasks: "keep" });
    return () => {
      const fields = fieldsOf("task", task);
      this.#edit("task", id, { type: "restore", fields, position: task.position, after });
    };
  };

  readonly moveTask = (id: string, target: TaskMoveTarget): void => {
    const { after, list_id: listId } = target;
    const targetListId = listId === undefined ? this.#task(id).list_id : listId;
    const siblings = this.getTasks({ listId: targetListId }).filter((task) => task.id !== id);
    const position = positionAfter(after, siblings);
    this.#edit("task", id, { type: "move", after, listId, position });
  };

  readonly createList = (fields: { name: string }): LocalList => {
    const id = newId();
    const position = lastPosition(this.getLists());
    this.#edit("list", id, { type: "create", fields: normalizeFields(fields), position });
    return this.#list(id);
  };

  readonly changeList = (
    id: string,
    fields: { name: string },
    options: { seen?: { name: string } } = {},
  ): void => {
    this.#change("list", id, this.#list(id), fields, options.seen);
  };

  readonly deleteList = (id: string, options: { tasks?: "keep" | "delete" } = {}): void => {
    this.#edit("list", id, { type: "delete", tasks: options.tasks ?? "keep" });
  };

  readonly moveList = (id: string, target: MoveTarget): void => {
    const siblings = this.getLists().filter((list) => list.id !== id);
    const position = positionAfter(target.after, siblings);
    this.#edit("list", id, { type: "move", after: target.after, position });
  };

  readonly changeLabel = (id: string, fields: { name: string }): void => {
    this.#edit("label", id, { type: "change", fields: normalizeFields(fields), seen: {} });
  };

  readonly deleteLabel = (id: string): void => {
    this.#edit("label", id, { type: "delete", tasks: "keep" });
  };

  readonly resolveConflict = (conflict: Conflict, choice: "mine" | "theirs"): void => {
    const { kind, taskId, field, theirs } = conflict;
    this.#edit(kind, taskId, { type: "resolve", field, choice, theirs });
  };

  readonly dismissProblem = (): void => {
    this.#engine.dismissProblem();
  };

  readonly sync = (): Promise<void> => {
    return this.#engine.sync();
  };

  readonly close = (): void => {
    this.#engine.close();
  };

  readonly erase = (): Promise<void> => {
    return this.#engine.erase();
  };

  #change(
    kind: Kind,
    id: string,
    item: LocalTask | LocalList,
    fields: object,
    seen: object | undefined,
  ): void {
    const normalized = normalizeFields(fields);
    const shownFields = fieldsOf(kind, item);
    const base: Fields = {};
    for (const name of PLAIN_FIELDS.filter((plain) => plain in normalized)) {
      base[name] = shownFields[name];
    }
    Object.assign(base, normalizeFields(seen ?? {}));
    this.#edit(kind, id, { type: "change", fields: normalized, seen: base });
  }

  #edit(kind: Kind, id: string, act: Act): void {
    const key: Key = keyOf(kind, id);
    const at = timestampOf(Date.now());
    this.#lastOrder = Math.max(Date.now(), this.#lastOrder + 0.001);
    this.#engine.edit(key, { ...act, at, order: this.#lastOrder });
  }

  #task(id: string): LocalTask {
    const task = this.getTask(id);
    if (task === undefined) {
      throw new Error("There is no such task.");
    }
    return task;
  }

  #list(id: string): LocalList {
    const list = this.getLists().find((candidate) => candidate.id === id);
    if (list === undefined) {
      throw new Error("There is no such list.");
    }
    return list;
  }
}

type Positioned = Pick<LocalTask, "id" | "position">;

/** The position of a new item: after all others. */
function lastPosition(siblings: readonly Positioned[]): string {
  const last = siblings.at(-1)?.position ?? "";
  const now = positionOf(Date.now());
  return now > last ? now : positionBetween(last, null);
}

function positionAfter(after: string | null, siblings: readonly Positioned[]): string {
  const index = after === null ? -1 : siblings.findIndex((sibling) => sibling.id === after);
  if (after !== null && index === -1) {
    return lastPosition(siblings);
  }
  const before = siblings[index]?.position ?? null;
  const next = siblings[index + 1]?.position ?? null;
  return positionBetween(before, next);
}
