import type { CallOptions } from "../http/transport.js";
import type { Reference, Versioned } from "../models.js";
import type { Api, Path, RequestContent } from "./api.js";
import { rememberNext } from "./links.js";
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

/** Where the items of one kind are. */
export interface ItemPaths {
  all: Path;
  one: Path;
  /** The name of the id in the paths. */
  id: string;
}

/** What becomes of what belongs to a deleted item. */
interface DeleteOptions extends CallOptions {
  tasks?: "keep" | "delete";
  subtasks?: "keep" | "delete";
}

/** What tasks, lists and labels have in common. */
export interface Items<Item extends Versioned> {
  create: (fields: object, options?: CreateAsOptions) => Promise<Item>;
  get: (id: string, options?: CallOptions) => Promise<Item>;
  change: (item: Reference, fields: object, options?: CallOptions) => Promise<Item>;
  replace: (item: Reference, fields: object, options?: CallOptions) => Promise<Item>;
  delete: (item: Reference, options?: DeleteOptions) => Promise<void>;
  /** Only for what has an order of its own. */
  move: (item: Reference, place: object, options?: CreateOptions) => Promise<Item>;
}

export function createItems<Item extends Versioned>(api: Api, paths: ItemPaths): Items<Item> {
  const content = (reference: Reference, more: RequestContent = {}): RequestContent => ({
    ...more,
    path: { [paths.id]: idOf(reference) },
  });

  const get = (id: string, options?: CallOptions) =>
    api.call<Item>("GET", paths.one, content(id), options);

  const write = (
    method: string,
    path: Path,
    item: Reference,
    fields: object,
    options?: CallOptions,
    headers = {},
  ) => {
    const request = content(item, { body: fields, headers: { ...ifMatch(item), ...headers } });
    return writeGuarded({
      reference: item,
      sent: fields,
      write: async () => {
        const { data, headers } = await api.send<Item>(method, path, request, options);
        rememberNext(data, headers);
        return data;
      },
      read: () => get(idOf(item), options),
    });
  };

  return {
    get,
    create: (fields, options) => {
      const id = options?.id;
      if (id === undefined) {
        const headers = idempotencyKey(options);
        return api.call<Item>("POST", paths.all, { body: fields, headers }, options);
      }
      const request = content(id, { body: fields, headers: { "If-None-Match": "*" } });
      return createGuarded(
        () => api.call<Item>("PUT", paths.one, request, options),
        () => get(id, options),
      );
    },
    change: (item, fields, options) => write("PATCH", paths.one, item, fields, options),
    replace: (item, fields, options) => write("PUT", paths.one, item, fields, options),
    delete: (item, options = {}) => {
      const { tasks, subtasks } = options;
      const request = content(item, { headers: ifMatch(item), query: { tasks, subtasks } });
      return deleteGuarded(
        item,
        () => api.call("DELETE", paths.one, request, options),
        () => get(idOf(item), options),
      );
    },
    move: (item, place, options) =>
      write("POST", `${paths.one}/move` as Path, item, place, options, idempotencyKey(options)),
  };
}
