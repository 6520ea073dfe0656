import type { CallOptions } from "../http/transport.js";
import type {
  Changes,
  Reference,
  Task,
  TaskChange,
  TaskCreate,
  TaskFilter,
  TaskMove,
  TaskReplace,
} from "../models.js";
import type { Api } from "./api.js";
import { createItems } from "./items.js";
import { nextCursor } from "./links.js";
import { Listing } from "./listing.js";
import type { CreateAsOptions, CreateOptions } from "./writes.js";

const PAGE_LENGTH_DEFAULT = 200;

/** Where to continue a synchronization. */
export interface ChangesQuery {
  /** The `next` of the last call; without it everything is listed. */
  since?: string;
  /** How many tasks and deletions at once, 500 at most. */
  limit?: number;
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
  delete(task: Reference, options?: CallOptions): Promise<void>;
  /** Move behind another task, or first with `after: null`; `list_id` names another list. */
  move(task: Reference, place: TaskMove, options?: CreateOptions): Promise<Task>;
  changes(query?: ChangesQuery, options?: CallOptions): Promise<Changes>;
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

  return {
    ...items,
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
