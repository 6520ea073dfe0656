export {
  createClient,
  type Client,
  type ClientSettings,
  type RequestOptions,
  type RequestResult,
  type Tokens,
} from "./client.js";
export type { Export, ExportOptions } from "./api/export.js";
export type { ImportOptions, ImportSource } from "./api/import.js";
export type { Labels } from "./api/labels.js";
export type { Listing } from "./api/listing.js";
export type { DeleteListOptions, Lists } from "./api/lists.js";
export type { Platform } from "./api/platform.js";
export type { ChangesQuery, DeleteTaskOptions, ManyOptions, Tasks } from "./api/tasks.js";
export type { Users } from "./api/users.js";
export type { CreateAsOptions, CreateOptions } from "./api/writes.js";
export {
  AuthUnavailableError,
  ConflictError,
  NetworkError,
  ProblemError,
  SignedOutError,
  TaskPlatformError,
} from "./errors.js";
export type { CallOptions } from "./http/transport.js";
export type * from "./models.js";
export type { Auth, BetterAuthClient, TokenFunction } from "./tokens/auth.js";
