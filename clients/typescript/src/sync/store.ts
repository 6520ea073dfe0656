import type { TaskChange, TaskCreate } from "../models.js";
import { type TaskAct, planDeletion } from "./deletion.js";
import { timestampOf } from "./due.js";
import { Engine, type StoreOptions } from "./engine.js";
import { areEqual, normalizeFields } from "./fields.js";
import { newId } from "./ids.js";
import { type Act, type Edit, type Kind, fieldsOf, keyOf } from "./pending.js";
import { positionAfter, positionAtEnd } from "./position.js";
import type {
  Conflict,
  DeleteTaskOptions,
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
    const parent = this.getTask(fields.parent_id ?? "");
    const listId = parent === undefined ? (fields.list_id ?? null) : parent.list_id;
    const position = positionAtEnd(this.getTasks({ listId }));
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

  readonly deleteTask = (id: string, options: DeleteTaskOptions = {}): (() => void) => {
    return this.#deleteAll([this.#task(id)], options);
  };

  readonly moveTask = (id: string, target: TaskMoveTarget): void => {
    const { after, list_id: listId } = target;
    const targetListId = listId === undefined ? this.#task(id).list_id : listId;
    const siblings = this.getTasks({ listId: targetListId }).filter((task) => task.id !== id);
    const position = positionAfter(after, siblings);
    this.#edit("task", id, { type: "move", after, listId, position });
  };

  readonly changeTasks = (filter: TaskFilter, fields: TaskChange): (() => void) => {
    const normalized = normalizeFields(fields);
    const count = Object.keys(normalized).length;
    const differs = (task: LocalTask) => agreeingFields(task, normalized).length < count;
    const tasks = this.getTasks(filter).filter(differs);
    this.#editTasks(tasks.map((task) => [task.id, changeOf("task", task, normalized)]));
    return () => {
      this.#changeBack(tasks, normalized);
    };
  };

  readonly deleteTasks = (filter: TaskFilter, options: DeleteTaskOptions = {}): (() => void) => {
    return this.#deleteAll(this.getTasks(filter), options);
  };

  readonly createList = (fields: { name: string }): LocalList => {
    const id = newId();
    const position = positionAtEnd(this.getLists());
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
    seen: object = {},
  ): void {
    this.#edit(kind, id, changeOf(kind, item, normalizeFields(fields), normalizeFields(seen)));
  }

  #deleteAll(tasks: readonly LocalTask[], options: DeleteTaskOptions): () => void {
    const { deletions, restorations, orphans } = planDeletion(tasks, options, this.#engine.copy);
    this.#editTasks(deletions);
    return () => {
      const acts = [...restorations];
      for (const { id, parent_id, list_id } of orphans) {
        const orphan = this.getTask(id);
        // One that has got another parent or list since stays there.
        if (orphan?.parent_id === null && orphan.list_id === list_id) {
          acts.push([id, changeOf("task", orphan, { parent_id })]);
        }
      }
      this.#editTasks(acts);
    };
  }

  /** Give the tasks what they had before they got these fields, unless that was changed since. */
  #changeBack(tasks: readonly LocalTask[], fields: Fields): void {
    const acts: TaskAct[] = [];
    for (const task of tasks) {
      const current = this.getTask(task.id);
      const names = current === undefined ? [] : agreeingFields(current, fields);
      if (current !== undefined && names.length > 0) {
        const earlier = fieldsOf("task", task);
        const restored = Object.fromEntries(names.map((name) => [name, earlier[name]]));
        acts.push([task.id, changeOf("task", current, restored)]);
      }
    }
    this.#editTasks(acts);
  }

  #editTasks(acts: readonly TaskAct[]): void {
    const edits = acts.map(([id, act]) => [keyOf("task", id), this.#dated(act)] as const);
    this.#engine.edit(new Map(edits));
  }

  #edit(kind: Kind, id: string, act: Act): void {
    this.#engine.edit(new Map([[keyOf(kind, id), this.#dated(act)]]));
  }

  #dated(act: Act): Edit {
    this.#lastOrder = Math.max(Date.now(), this.#lastOrder + 0.001);
    return { ...act, at: timestampOf(Date.now()), order: this.#lastOrder };
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

function changeOf(kind: Kind, item: LocalTask | LocalList, fields: Fields, seen: Fields = {}): Act {
  const shownFields = fieldsOf(kind, item);
  const base: Fields = {};
  for (const name of PLAIN_FIELDS.filter((plain) => plain in fields)) {
    base[name] = shownFields[name];
  }
  return { type: "change", fields, seen: { ...base, ...seen } };
}

/** The fields in which the task has these values. */
function agreeingFields(task: LocalTask, fields: Fields): FieldName[] {
  const current = fieldsOf("task", task);
  const names = Object.keys(fields) as FieldName[];
  return names.filter((name) => areEqual(name, current[name], fields[name]));
}
