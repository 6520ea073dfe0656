import createFetchClient, { type Client as FetchClient } from "openapi-fetch";
import type { CallOptions, RequestTraits, Transport } from "../http/transport.js";
import type { paths } from "../openapi.js";

/** What the groups of methods are made of. */
export interface Api extends FetchClient<paths> {
  /** Return how a request is sent, as an option of the methods of openapi-fetch. */
  sending: (options: CallOptions | undefined, traits?: RequestTraits) => Sending;
}

/** How openapi-fetch sends a request. */
export type Sending = Record<"fetch", (request: Request) => Promise<Response>>;

/** Make the methods for the paths of the OpenAPI document; each call passes `sending`. */
export function createApi(url: string, transport: Transport): Api {
  const client = createFetchClient<paths>({ baseUrl: url });
  const sending = (options?: CallOptions, traits?: RequestTraits): Sending => ({
    fetch: (request) => transport.send(request, traits, options),
  });
  return Object.assign(client, { sending });
}

/** Return the body of a response; responses without success have been thrown by the transport. */
export async function body<Data>(result: Promise<{ data?: Data }>): Promise<Data> {
  const { data } = await result;
  return data as Data;
}
