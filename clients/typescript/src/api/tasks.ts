import type { CallOptions } from "../http/transport.js";
import type {
  Changes,
  ManyChange,
  ManyChanged,
  ManyDeleted,
  Reference,
  Task,
  TaskChange,
  TaskCreate,
  TaskFilter,
  TaskMove,
  TaskReplace,
  TaskSelection,
} from "../models.js";
import type { Api } from "./api.js";
import { createItems } from "./items.js";
import { nextCursor, rememberedNext } from "./links.js";
import { Listing } from "./listing.js";
import { ifMatch, type CreateAsOptions, type CreateOptions } from "./writes.js";

const PAGE_LENGTH_DEFAULT = 200;

/** Where to continue a synchronization. */
export interface ChangesQuery {
  /** The `next` of the last call; without it everything is listed. */
  since?: string;
  /** How many tasks and deletions at once, 500 at most. */
  limit?: number;
}

/** Options of the deletion of a task. */
export interface DeleteTaskOptions extends CallOptions {
  /** What becomes of its subtasks: by default they are ordinary tasks from then on. */
  subtasks?: "keep" | "delete";
}

/** Options of a change of many tasks. */
export interface ManyOptions extends CallOptions {
  /** The `version` that an earlier change of many has returned: fails if anything has changed since. */
  ifMatch?: number;
}

/** The methods for tasks. */
export interface Tasks {
  create(fields: TaskCreate, options?: CreateAsOptions): Promise<Task>;
  list(filter?: TaskFilter, options?: CallOptions): Listing<Task>;
  get(id: string, options?: CallOptions): Promise<Task>;
  /** Change the fields that are given; rejects with `ConflictError` if the task that was read has changed since. */
  change(task: Reference, fields: TaskChange, options?: CallOptions): Promise<Task>;
  /** Replace a task: absent fields get their defaults, but list, due date, priority and labels stay. */
  replace(task: Reference, fields: TaskReplace, options?: CallOptions): Promise<Task>;
  delete(task: Reference, options?: DeleteTaskOptions): Promise<void>;
  /** Move behind another task, or first with `after: null`; `list_id` names another list. */
  move(task: Reference, place: TaskMove, options?: CreateOptions): Promise<Task>;
  changes(query?: ChangesQuery, options?: CallOptions): Promise<Changes>;
  /** Change all tasks that match, or none; there must be a filter. */
  changeMany(
    selection: TaskSelection,
    fields: ManyChange,
    options?: ManyOptions,
  ): Promise<ManyChanged>;
  /** Delete all tasks that match, or none; there must be a filter. */
  deleteMany(
    selection: TaskSelection,
    options?: ManyOptions & DeleteTaskOptions,
  ): Promise<ManyDeleted>;
  /**
   * Return the id of the next occurrence, if `task` is the object that `change` or `replace` has
   * returned and it repeats; null for all other objects.
   */
  nextId(task: Task): string | null;
}

export function createTasks(api: Api): Tasks {
  const items = createItems<Task>(api, {
    all: "/tasks",
    one: "/tasks/{task_id}",
    id: "task_id",
  });

  const fetchPage = async (query: TaskFilter, options?: CallOptions) => {
    const { data, headers } = await api.send<Task[]>("GET", "/tasks", { query }, options);
    return { items: data, cursor: nextCursor(headers) };
  };

  const writeMany = async <Result>(
    method: string,
    selection: TaskSelection,
    options: ManyOptions & DeleteTaskOptions = {},
    body?: object,
  ) => {
    const { subtasks, ifMatch: version } = options;
    // An empty list is not written into a URL: without it, more tasks would match, not none.
    if (selection.id?.length === 0) throw new RangeError("There is no id.");
    const request = { query: { ...selection, subtasks }, headers: ifMatch({ version }), body };
    return api.call<Result>(method, "/tasks", request, options);
  };

  return {
    ...items,
    changeMany: (selection, fields, options) => writeMany("PATCH", selection, options, fields),
    deleteMany: (selection, options) => writeMany("DELETE", selection, options),
    nextId: rememberedNext,
    list: (filter = {}, options) => {
      const limit = filter.limit ?? PAGE_LENGTH_DEFAULT;
      return new Listing(
        async () => (await fetchPage(filter, options)).items,
        (position) => fetchPage({ ...filter, limit, ...position }, options),
      );
    },
    changes: (query, options) => api.call("GET", "/tasks/changes", query ? { query } : {}, options),
  };
}
