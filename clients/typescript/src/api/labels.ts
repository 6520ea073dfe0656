import type { CallOptions } from "../http/transport.js";
import type { Label, LabelChange, LabelListed, Reference } from "../models.js";
import { body, type Api } from "./api.js";
import { deleteGuarded, idOf, ifMatch, writeGuarded } from "./writes.js";

const PATH = "/labels/{label_id}";

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
  const get = (id: string, options?: CallOptions) =>
    body(api.GET(PATH, { params: { path: { label_id: id } }, ...api.sending(options) }));

  return {
    get,
    list: (options) => body(api.GET("/labels", api.sending(options))),
    change: (label, fields, options) => {
      const params = { path: { label_id: idOf(label) }, header: ifMatch(label) };
      return writeGuarded({
        reference: label,
        sent: fields,
        write: () => body(api.PATCH(PATH, { params, body: fields, ...api.sending(options) })),
        read: () => get(idOf(label), options),
      });
    },
    delete: (label, options) => {
      const params = { path: { label_id: idOf(label) }, header: ifMatch(label) };
      return deleteGuarded(
        label,
        () => api.DELETE(PATH, { params, ...api.sending(options) }),
        () => get(idOf(label), options),
      );
    },
  };
}
