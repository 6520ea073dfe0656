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
import { body, type Api } from "./api.js";
import { Listing, nextCursor } from "./listing.js";
import {
  createGuarded,
  deleteGuarded,
  idempotencyKey,
  idOf,
  ifMatch,
  writeGuarded,
  type CreateAsOptions,
  type CreateOptions,
} from "./writes.js";

const PAGE_LENGTH = 200;
const PATH = "/tasks/{task_id}";

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
  const get = (id: string, options?: CallOptions) =>
    body(api.GET(PATH, { params: { path: { task_id: id } }, ...api.sending(options) }));

  const createAs = (id: string, fields: TaskCreate, options?: CallOptions) =>
    createGuarded(
      () => {
        const params = { path: { task_id: id }, header: { "If-None-Match": "*" as const } };
        return body(api.PUT(PATH, { params, body: fields, ...api.sending(options) }));
      },
      () => get(id, options),
    );

  const fetchPage = async (filter: TaskFilter, options?: CallOptions) => {
    const params = { query: filter };
    const { data, response } = await api.GET("/tasks", { params, ...api.sending(options) });
    return { items: data ?? [], cursor: nextCursor(response.headers) };
  };

  return {
    get,
    create: (fields, options) => {
      if (options?.id !== undefined) return createAs(options.id, fields, options);
      const params = { header: idempotencyKey(options) };
      return body(api.POST("/tasks", { params, body: fields, ...api.sending(options) }));
    },
    list: (filter = {}, options) => {
      const limit = filter.limit ?? PAGE_LENGTH;
      return new Listing(
        async () => (await fetchPage(filter, options)).items,
        (cursor) => {
          const page = cursor === undefined ? {} : { cursor };
          return fetchPage({ ...filter, limit, ...page }, options);
        },
      );
    },
    change: (task, fields, options) => {
      const params = { path: { task_id: idOf(task) }, header: ifMatch(task) };
      return writeGuarded({
        reference: task,
        sent: fields,
        write: () => body(api.PATCH(PATH, { params, body: fields, ...api.sending(options) })),
        read: () => get(idOf(task), options),
      });
    },
    replace: (task, fields, options) => {
      const params = { path: { task_id: idOf(task) }, header: ifMatch(task) };
      return writeGuarded({
        reference: task,
        sent: fields,
        write: () => body(api.PUT(PATH, { params, body: fields, ...api.sending(options) })),
        read: () => get(idOf(task), options),
      });
    },
    delete: (task, options) => {
      const params = { path: { task_id: idOf(task) }, header: ifMatch(task) };
      return deleteGuarded(
        task,
        () => api.DELETE(PATH, { params, ...api.sending(options) }),
        () => get(idOf(task), options),
      );
    },
    move: (task, place, options) => {
      const header = { ...ifMatch(task), ...idempotencyKey(options) };
      const params = { path: { task_id: idOf(task) }, header };
      return writeGuarded({
        reference: task,
        sent: place,
        write: () =>
          body(api.POST("/tasks/{task_id}/move", { params, body: place, ...api.sending(options) })),
        read: () => get(idOf(task), options),
      });
    },
    changes: (query = {}, options) =>
      body(api.GET("/tasks/changes", { params: { query }, ...api.sending(options) })),
  };
}
