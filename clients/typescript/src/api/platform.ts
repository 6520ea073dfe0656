import type { CallOptions } from "../http/transport.js";
import type { ProblemCode } from "../models.js";
import type { Api } from "./api.js";

/** The methods for what the platform says of itself; they need no user. */
export interface Platform {
  health(options?: CallOptions): Promise<Record<string, string>>;
  /** Return the status of everything that is needed; rejects at once if something is unavailable. */
  readiness(options?: CallOptions): Promise<Record<string, string>>;
  version(options?: CallOptions): Promise<Record<string, string>>;
  /** Return the OpenAPI document. */
  openapi(options?: CallOptions): Promise<Record<string, unknown>>;
  /** Return the page of the API reference, as HTML. */
  docs(options?: CallOptions): Promise<string>;
  /** Return the page that lists all problem codes, as HTML. */
  problems(options?: CallOptions): Promise<string>;
  /** Return the page that explains a problem code, as HTML. */
  problem(code: ProblemCode, options?: CallOptions): Promise<string>;
  /** Return what language models read first: where the guides and the OpenAPI document are. */
  llmsText(options?: CallOptions): Promise<string>;
}

const PUBLIC = { isPublic: true };
const PAGE = { isPublic: true, isText: true };

export function createPlatform(api: Api): Platform {
  return {
    health: (options) => api.call("GET", "/healthz", {}, options, PUBLIC),
    readiness: (options) => {
      const once = { retries: 0, ...options };
      return api.call("GET", "/readyz", {}, once, PUBLIC);
    },
    version: (options) => api.call("GET", "/version", {}, options, PUBLIC),
    openapi: (options) => api.call("GET", "/openapi.json", {}, options, PUBLIC),
    docs: (options) => api.call("GET", "/docs", {}, options, PAGE),
    problems: (options) => api.call("GET", "/problems", {}, options, PAGE),
    problem: (code, options) =>
      api.call("GET", "/problems/{code}", { path: { code } }, options, PAGE),
    llmsText: (options) => api.call("GET", "/llms.txt", {}, options, PAGE),
  };
}
