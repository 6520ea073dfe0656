import {
  createServer,
  request as send,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { PLATFORM_URL } from "./support.js";

/** What becomes of a request. */
export type Fate =
  | "pass"
  /** The connection ends before the platform has seen the request. */
  | "lose-request"
  /** The connection ends after the platform has answered. */
  | "lose-response"
  /** The connection ends in the middle of the answer's body. */
  | "cut-response"
  /** The connection stays open, without an answer. */
  | "hang"
  | { status: number; headers?: Record<string, string>; body?: string }
  | { delaySeconds: number };

/** A request as the proxy has seen it. */
export interface SeenRequest {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  /** The status that the platform has answered with; undefined if it was not asked. */
  status?: number;
}

/** Decides about each request, such as by its path. */
export type Decide = (request: SeenRequest) => Fate;

/** A real proxy in front of the platform, which does to requests what networks do. */
export class FaultProxy implements AsyncDisposable {
  readonly seen: SeenRequest[] = [];
  decide: Decide = () => "pass";
  readonly #server = createServer((request, response) => {
    void this.#handle(request, response);
  });

  static async start(decide?: Decide): Promise<FaultProxy> {
    const proxy = new FaultProxy();
    if (decide) proxy.decide = decide;
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${String(port)}`;
  }

  /** Let these things happen to the next requests of a kind, and nothing to others. */
  plan(kind: (request: SeenRequest) => boolean, ...fates: Fate[]): void {
    this.decide = (request) => (kind(request) ? (fates.shift() ?? "pass") : "pass");
  }

  /** Count the requests with this method and this beginning of the path. */
  count(method: string, path: string): number {
    return this.seen.filter((seen) => seen.method === method && seen.path.startsWith(path)).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen: SeenRequest = {
      method: request.method ?? "",
      path: request.url ?? "",
      headers: request.headers,
    };
    this.seen.push(seen);
    const fate = this.decide(seen);
    const body = await buffer(request);
    if (fate === "hang") return;
    if (fate === "lose-request") {
      request.socket.destroy();
      return;
    }
    if (typeof fate === "object" && "status" in fate) {
      response.writeHead(fate.status, fate.headers).end(fate.body);
      return;
    }
    if (typeof fate === "object") await sleep(fate.delaySeconds);
    const answer = await forward(request, body);
    seen.status = answer.statusCode ?? 0;
    if (fate === "lose-response") {
      await buffer(answer);
      request.socket.destroy();
      return;
    }
    response.writeHead(seen.status, answer.headers);
    if (fate === "cut-response") {
      const content = await buffer(answer);
      response.write(content.subarray(0, content.length / 2), () => request.socket.destroy());
      return;
    }
    answer.pipe(response);
  }
}

/** Send a request on to the platform, as if it had come there directly. */
function forward(request: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
  const { host } = new URL(PLATFORM_URL);
  return new Promise((resolve, reject) => {
    const headers = { ...request.headers, host };
    const forwarded = send(new URL(request.url ?? "/", PLATFORM_URL), {
      method: request.method,
      headers,
    });
    forwarded.once("response", resolve);
    forwarded.once("error", reject);
    forwarded.end(body);
  });
}

export function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
