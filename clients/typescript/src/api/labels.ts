import type { CallOptions } from "../http/transport.js";
import type { Label, LabelChange, LabelListed, Reference } from "../models.js";
import type { Api } from "./api.js";
import { createItems } from "./items.js";

/** The methods for labels; a label is created by the first task that carries it. */
export interface Labels {
  /** Return all labels by name, each with its number of tasks. */
  list(options?: CallOptions): Promise<LabelListed[]>;
  get(id: string, options?: CallOptions): Promise<Label>;
  /** Rename a label on all tasks that carry it. */
  change(label: Reference, fields: LabelChange, options?: CallOptions): Promise<Label>;
  /** Delete a label and remove it from all tasks. */
  delete(label: Reference, options?: CallOptions): Promise<void>;
}

export function createLabels(api: Api): Labels {
  const items = createItems<Label>(api, {
    all: "/labels",
    one: "/labels/{label_id}",
    id: "label_id",
  });

  return {
    get: items.get,
    change: items.change,
    delete: items.delete,
    list: (options) => api.call("GET", "/labels", {}, options),
  };
}
