import { createAuthClient } from "better-auth/client";
import { createClient, type Client, type ClientSettings } from "../src/index.js";

/** The URL of a running platform with sign-in; the tests of `e2e/client` start one. */
export const PLATFORM_URL = requiredVariable("PLATFORM_URL");

/** The URL of a platform whose tokens expire after 3 seconds. */
export const SHORT_TOKENS_URL = requiredVariable("SHORT_TOKENS_URL");

function requiredVariable(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set. Run these tests with: pytest e2e/client`);
  return value;
}

/** A browser with cookies, and the page of one origin in it. */
export class Browser {
  readonly #cookies = new Map<string, string>();
  readonly #origin: string;

  constructor(origin: string) {
    this.#origin = origin;
  }

  get cookies(): string {
    return Array.from(this.#cookies, ([name, value]) => `${name}=${value}`).join("; ");
  }

  /** Fetch like a script of the page. */
  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    if (this.cookies) request.headers.set("cookie", this.cookies);
    request.headers.set("origin", this.#origin);
    const response = await fetch(request);
    for (const cookie of response.headers.getSetCookie()) this.#keep(cookie);
    return response;
  };

  /** Make a Better Auth client that has the cookies of this browser. */
  createAuth(url = this.#origin) {
    return createAuthClient({ baseURL: url, fetchOptions: { customFetchImpl: this.fetch } });
  }

  #keep(cookie: string): void {
    const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
    if (/max-age=0/i.test(cookie)) this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }
}

/** The Better Auth client of a browser. */
export type AuthClient = ReturnType<Browser["createAuth"]>;

/** Somebody who is signed in. */
export interface SignedInUser {
  client: Client;
  auth: AuthClient;
  browser: Browser;
  id: string;
  email: string;
  password: string;
}

/** Settings of a new user's client. */
export interface SignUpSettings extends Partial<ClientSettings> {
  /** The platform where the user signs up. */
  platform?: string;
  /** In whose place the user signs up, in the same browser. */
  browser?: Browser;
}

/** Sign up a new user; with `url` the client and its token requests take that way to the platform. */
export async function signUp(settings: SignUpSettings = {}): Promise<SignedInUser> {
  const { platform = PLATFORM_URL, browser = new Browser(platform), ...others } = settings;
  const email = `${crypto.randomUUID()}@example.test`;
  const password = crypto.randomUUID();
  const atPlatform = browser.createAuth();
  const { data, error } = await atPlatform.signUp.email({ email, password, name: "Ada" });
  if (error) throw new Error(`The sign-up failed with status ${String(error.status)}.`);
  const url = settings.url ?? platform;
  const auth = browser.createAuth(url);
  const client = createClient({ auth, ...others, url });
  return { client, auth, browser, id: data.user.id, email, password };
}
