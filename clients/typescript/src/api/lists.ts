import type { CallOptions } from "../http/transport.js";
import type { List, ListChange, ListCreate, ListMove, ListReplace, Reference } from "../models.js";
import type { Api } from "./api.js";
import { createItems } from "./items.js";
import type { CreateAsOptions, CreateOptions } from "./writes.js";

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
  /** Move behind another list, or first with `after: null`. */
  move(list: Reference, place: ListMove, options?: CreateOptions): Promise<List>;
}

export function createLists(api: Api): Lists {
  const items = createItems<List>(api, {
    all: "/lists",
    one: "/lists/{list_id}",
    id: "list_id",
  });

  return {
    ...items,
    list: (options) => api.call("GET", "/lists", {}, options),
  };
}
