import { createFinalURL, createQuerySerializer } from "openapi-fetch";
import { NetworkError } from "../errors.js";
import type { CallOptions, Received, RequestTraits, Transport } from "../http/transport.js";
import type { paths } from "../openapi.js";

/** A path of the OpenAPI document. */
export type Path = keyof paths;

/** What a request contains. */
export interface RequestContent {
  /** Values for the names in the path. */
  path?: Record<string, string>;
  query?: object;
  headers?: Record<string, string>;
  /** Sent as JSON, but for text. */
  body?: unknown;
}

/** What a response contains. */
export interface ApiResponse<Data> extends Received {
  /** The parsed body; undefined if there is none. */
  data: Data;
}

/** Sends the requests of all methods. */
export interface Api {
  /** Return a response; those without success reject. */
  send<Data>(
    method: string,
    path: string,
    content?: RequestContent,
    options?: CallOptions,
    traits?: RequestTraits,
  ): Promise<ApiResponse<Data>>;
  /** Return the body of a response. */
  call<Data>(
    method: string,
    path: Path,
    content?: RequestContent,
    options?: CallOptions,
    traits?: RequestTraits,
  ): Promise<Data>;
}

const querySerializer = createQuerySerializer();

/**
 * Make what sends requests.
 *
 * The client of openapi-fetch is not used, only its URLs: the transport reads bodies and makes errors by itself.
 */
export function createApi(url: string, transport: Transport): Api {
  const baseUrl = url.replace(/\/+$/, "");

  const send = async <Data>(
    method: string,
    path: string,
    content: RequestContent = {},
    options?: CallOptions,
    traits?: RequestTraits,
  ): Promise<ApiResponse<Data>> => {
    const request = createRequest(baseUrl, method, path, content);
    const received = await transport.send(request, options, traits);
    return { ...received, data: parse(received, traits) as Data };
  };

  return {
    send,
    call: async <Data>(...parameters: Parameters<Api["call"]>) =>
      (await send<Data>(...parameters)).data,
  };
}

function createRequest(
  baseUrl: string,
  method: string,
  path: string,
  content: RequestContent,
): Request {
  const url = createFinalURL(path, {
    baseUrl,
    params: { path: content.path ?? {}, query: { ...content.query } },
    querySerializer,
    pathSerializer: fillPath,
  });
  const { body } = content;
  if (body === undefined) return new Request(url, { method, headers: content.headers ?? {} });
  return new Request(url, {
    method,
    headers: { "Content-Type": "application/json", ...content.headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

/** Put values into a path. That of openapi-fetch also knows forms of RFC 6570 that no path here has. */
function fillPath(path: string, values: Record<string, unknown>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name])));
}

function parse({ text, headers }: Received, traits: RequestTraits = {}): unknown {
  if (text === null) return undefined;
  if (traits.isText) return text;
  // For example the login page of a hotel, with status 200.
  if (!/\bjson\b/.test(headers.get("content-type") ?? "")) {
    throw new NetworkError("Something else than the platform has answered.");
  }
  return JSON.parse(text);
}
