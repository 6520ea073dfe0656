import { AuthUnavailableError, NetworkError, createClient } from "../src/index.js";
import { type TaskStore, openStore } from "../src/sync/index.js";
import { PLATFORM_URL, type SignedInUser } from "./support.js";

type Fetch = (request: Request) => Promise<Response>;

/** A device of a user, with a network that can fail; in Node.js its copy is in memory. */
export class Device {
  readonly store: TaskStore;
  /** All requests to the platform that left the device, as `METHOD /path`. */
  readonly requests: string[] = [];
  /** What becomes of the next requests; `fetch` sends one to the platform. */
  network: (request: Request, send: Fetch) => Promise<Response> = (request, send) => send(request);
  /** Whether tokens are to be had. */
  isAuthAvailable = true;
  signedOutCount = 0;

  constructor(user: SignedInUser) {
    const client = createClient({
      url: PLATFORM_URL,
      auth: async () => {
        if (!this.isAuthAvailable) {
          throw new AuthUnavailableError("no tokens now");
        }
        return this.#token ?? (this.#token = await user.client.tokens.get());
      },
      fetch: (request) => {
        this.requests.push(`${request.method} ${new URL(request.url).pathname}`);
        return this.network(request, fetch);
      },
    });
    this.store = openStore({
      client,
      user: user.id,
      onSignedOut: () => {
        this.signedOutCount += 1;
      },
    });
  }

  #token: string | undefined;

  get titles(): string[] {
    return this.store.getTasks().map((task) => task.title);
  }

  /** From now on nothing leaves the device. */
  goOffline(): void {
    this.network = () => Promise.reject(new TypeError("offline"));
  }

  goOnline(): void {
    this.network = (request, send) => send(request);
  }

  /** The next request arrives, but its answer is lost. */
  loseNextAnswer(): void {
    this.network = async (request, send) => {
      this.goOnline();
      await send(request);
      throw new NetworkError("the answer is lost");
    };
  }

  /** The next request is answered with a problem by something in front of the platform. */
  failNext(status: number, headers: Record<string, string> = {}): void {
    this.network = () => {
      this.goOnline();
      return Promise.resolve(new Response("", { status, headers }));
    };
  }
}
