import type { CallOptions } from "../http/transport.js";
import type { ProblemCode } from "../models.js";
import { body, type Api } from "./api.js";

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
  /** Return the page that explains a problem code, as HTML. */
  problem(code: ProblemCode, options?: CallOptions): Promise<string>;
}

const PUBLIC = { isPublic: true };
const TEXT = { parseAs: "text" as const };

export function createPlatform(api: Api): Platform {
  return {
    health: (options) => body(api.GET("/healthz", api.sending(options, PUBLIC))),
    readiness: (options) => {
      const once = { retries: 0, ...options };
      return body(api.GET("/readyz", api.sending(once, PUBLIC)));
    },
    version: (options) => body(api.GET("/version", api.sending(options, PUBLIC))),
    openapi: (options) => body(api.GET("/openapi.json", api.sending(options, PUBLIC))),
    docs: (options) => body(api.GET("/docs", { ...TEXT, ...api.sending(options, PUBLIC) })),
    problem: (code, options) => {
      const params = { path: { code } };
      return body(
        api.GET("/problems/{code}", { params, ...TEXT, ...api.sending(options, PUBLIC) }),
      );
    },
  };
}
