import type { CallOptions } from "../http/transport.js";
import type { List, ListChange, ListCreate, ListMove, ListReplace, Reference } from "../models.js";
import { body, type Api } from "./api.js";
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

const PATH = "/lists/{list_id}";

/** Options of the deletion of a list. */
export interface DeleteListOptions extends CallOptions {
  /** What becomes of the tasks in the list: by default they move to the inbox. */
  tasks?: "keep" | "delete";
}

/** The methods for lists of tasks. */
export interface Lists {
  create(fields: ListCreate, options?: CreateAsOptions): Promise<List>;
  /** Return all lists in their order. */
  list(options?: CallOptions): Promise<List[]>;
  get(id: string, options?: CallOptions): Promise<List>;
  change(list: Reference, fields: ListChange, options?: CallOptions): Promise<List>;
  replace(list: Reference, fields: ListReplace, options?: CallOptions): Promise<List>;
  delete(list: Reference, options?: DeleteListOptions): Promise<void>;
  move(list: Reference, place: ListMove, options?: CreateOptions): Promise<List>;
}

export function createLists(api: Api): Lists {
  const get = (id: string, options?: CallOptions) =>
    body(api.GET(PATH, { params: { path: { list_id: id } }, ...api.sending(options) }));

  const createAs = (id: string, fields: ListCreate, options?: CallOptions) =>
    createGuarded(
      () => {
        const params = { path: { list_id: id }, header: { "If-None-Match": "*" as const } };
        return body(api.PUT(PATH, { params, body: fields, ...api.sending(options) }));
      },
      () => get(id, options),
    );

  return {
    get,
    create: (fields, options) => {
      if (options?.id !== undefined) return createAs(options.id, fields, options);
      const params = { header: idempotencyKey(options) };
      return body(api.POST("/lists", { params, body: fields, ...api.sending(options) }));
    },
    list: (options) => body(api.GET("/lists", api.sending(options))),
    change: (list, fields, options) => {
      const params = { path: { list_id: idOf(list) }, header: ifMatch(list) };
      return writeGuarded({
        reference: list,
        sent: fields,
        write: () => body(api.PATCH(PATH, { params, body: fields, ...api.sending(options) })),
        read: () => get(idOf(list), options),
      });
    },
    replace: (list, fields, options) => {
      const params = { path: { list_id: idOf(list) }, header: ifMatch(list) };
      return writeGuarded({
        reference: list,
        sent: fields,
        write: () => body(api.PUT(PATH, { params, body: fields, ...api.sending(options) })),
        read: () => get(idOf(list), options),
      });
    },
    delete: (list, options) => {
      const query = options?.tasks === undefined ? {} : { tasks: options.tasks };
      const params = { path: { list_id: idOf(list) }, query, header: ifMatch(list) };
      return deleteGuarded(
        list,
        () => api.DELETE(PATH, { params, ...api.sending(options) }),
        () => get(idOf(list), options),
      );
    },
    move: (list, place, options) => {
      const header = { ...ifMatch(list), ...idempotencyKey(options) };
      const params = { path: { list_id: idOf(list) }, header };
      return writeGuarded({
        reference: list,
        sent: place,
        write: () =>
          body(api.POST("/lists/{list_id}/move", { params, body: place, ...api.sending(options) })),
        read: () => get(idOf(list), options),
      });
    },
  };
}
