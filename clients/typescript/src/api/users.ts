import type { CallOptions } from "../http/transport.js";
import type { ImportReport, User, UserChange } from "../models.js";
import type { Api } from "./api.js";
import { createExport, type Export, type ExportOptions } from "./export.js";
import { importAll, type ImportOptions, type ImportSource } from "./import.js";

/** The methods for the profile and for all that the user has. */
export interface Users {
  me(options?: CallOptions): Promise<User>;
  changeMe(fields: UserChange, options?: CallOptions): Promise<User>;
  /** Erase the profile and all tasks, for good; after a 503 the same call completes the erasure. */
  eraseMe(options?: CallOptions): Promise<void>;
  /** Export the profile, lists, labels and tasks, as records (`for await`) or as a file (`blob()`). */
  exportMe(options?: ExportOptions): Export;
  /** Import an export, of this user or of another one, and return what became of its records. */
  importMe(source: ImportSource, options?: ImportOptions): Promise<ImportReport>;
  /** Return a profile by id: the user's own, as all others are refused. */
  get(id: string, options?: CallOptions): Promise<User>;
}

export function createUsers(api: Api): Users {
  return {
    me: (options) => api.call("GET", "/users/me", {}, options),
    changeMe: (fields, options) => api.call("PATCH", "/users/me", { body: fields }, options),
    eraseMe: (options) => api.call("DELETE", "/users/me", {}, options),
    exportMe: (options) => createExport(api, options),
    importMe: (source, options) => importAll(api, source, options),
    get: (id, options) => api.call("GET", "/users/{user_id}", { path: { user_id: id } }, options),
  };
}
