import { createApi } from "./api/api.js";
import { createLabels, type Labels } from "./api/labels.js";
import { createLists, type Lists } from "./api/lists.js";
import { createPlatform, type Platform } from "./api/platform.js";
import { createTasks, type Tasks } from "./api/tasks.js";
import { createUsers, type Users } from "./api/users.js";
import { EtagCache } from "./http/etag-cache.js";
import { Transport, type CallOptions, type TransportSettings } from "./http/transport.js";
import {
  isBetterAuthClient,
  tokenFetcher,
  type Auth,
  type BetterAuthClient,
} from "./tokens/auth.js";
import { TokenTabs } from "./tokens/tabs.js";
import { TokenSource } from "./tokens/token-source.js";

/** How long a call may take with all its repetitions if its client does not say it. */
export const DEADLINE_SECONDS_DEFAULT = 30;

/** Settings of a client. */
export interface ClientSettings {
  /** The URL of the platform; `""` for the origin of the page. */
  url: string;
  /** A Better Auth client, or a function that returns a token. */
  auth: Auth;
  /** How long a call may take with all its repetitions; 30 by default. */
  deadlineSeconds?: number;
  /** Sends requests; by default the global `fetch`. */
  fetch?: (request: Request) => Promise<Response>;
  /** Called when the identity server says that nobody is signed in. */
  onSignedOut?: () => void;
  /**
   * Whether tabs hand tokens to each other: by default in browsers with a Better Auth client.
   *
   * All tabs of the origin must then mean the same user.
   */
  sharesTokens?: boolean;
}

/** The token of the signed-in user. */
export interface Tokens {
  /** Return a token for requests of your own; rejects with `SignedOutError` or `AuthUnavailableError`. */
  get(): Promise<string>;
  /** Forget the user in all tabs: call it on sign-out. Calls that are running end with `SignedOutError`. */
  forget(): void;
}

/** A request that no method is made for. */
export interface RequestOptions extends CallOptions {
  query?: object;
  body?: unknown;
  headers?: Record<string, string>;
}

/** The answer to such a request. */
export interface RequestResult {
  status: number;
  headers: Headers;
  body: unknown;
}

/** The client of the platform for the user who is signed in. */
export interface Client {
  readonly url: string;
  readonly tasks: Tasks;
  readonly lists: Lists;
  readonly labels: Labels;
  readonly users: Users;
  readonly platform: Platform;
  readonly tokens: Tokens;
  /** Send a request with the same token, repetitions and errors as all others. */
  request(method: string, path: string, options?: RequestOptions): Promise<RequestResult>;
  /**
   * Return a client whose calls reject with `SignedOutError` when another user signs in.
   *
   * `id` is the subject of the tokens: the id that Better Auth has given to the user.
   */
  forUser(id: string): Client;
}

/** Make a client; it does nothing before the first call. */
export function createClient(settings: ClientSettings): Client {
  const { url, auth, onSignedOut } = settings;
  const etags = new EtagCache();
  const onForget = () => {
    etags.clear();
  };
  const tokens = new TokenSource(tokenFetcher(auth), { onSignedOut, onForget });
  if (isBetterAuthClient(auth)) watchSession(auth, tokens);
  if (settings.sharesTokens ?? (isBetterAuthClient(auth) && isTab())) {
    const tabs = TokenTabs.join(`task-platform ${url}`, tokens);
    if (tabs) tokens.shareWith(tabs);
  }
  return assembleClient(url, {
    tokens,
    etags,
    fetch: settings.fetch ?? ((request) => fetch(request)),
    deadlineSeconds: settings.deadlineSeconds ?? DEADLINE_SECONDS_DEFAULT,
    subject: null,
  });
}

/** Put a client together; used by `createClient` and on servers. */
export function assembleClient(url: string, settings: TransportSettings): Client {
  const { tokens } = settings;
  const api = createApi(url, new Transport(settings));
  return {
    url,
    tasks: createTasks(api),
    lists: createLists(api),
    labels: createLabels(api),
    users: createUsers(api),
    platform: createPlatform(api),
    tokens: {
      get: async () => (await tokens.get()).text,
      forget: () => {
        tokens.forget();
      },
    },
    request: async (method, path, options = {}) => {
      const { status, headers, data } = await api.send(method, path, options, options);
      return { status, headers, body: data };
    },
    forUser: (subject) => assembleClient(url, { ...settings, subject }),
  };
}

/** Ask for a new token whenever somebody has signed in or out with this Better Auth client. */
function watchSession(auth: BetterAuthClient, tokens: TokenSource): void {
  let isFirst = true;
  auth.$store?.listen("$sessionSignal", () => {
    // The first call only tells the present state.
    if (!isFirst) tokens.invalidate();
    isFirst = false;
  });
}

function isTab(): boolean {
  return typeof document === "object";
}
