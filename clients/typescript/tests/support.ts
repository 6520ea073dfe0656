import { createAuthClient } from "better-auth/client";
import { createClient, type Client, type ClientSettings } from "../src/index.js";

/** The URL of a running platform with sign-in; the tests of `e2e/client` start one. */
export const PLATFORM_URL = requiredVariable("PLATFORM_URL");

function requiredVariable(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set. Run the tests with: make e2e`);
  return value;
}

/** The cookies of one browser. */
export class CookieJar {
  readonly #cookies = new Map<string, string>();

  get header(): string {
    return Array.from(this.#cookies, ([name, value]) => `${name}=${value}`).join("; ");
  }

  /** Fetch like a page of the platform's origin. */
  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    if (this.header) request.headers.set("cookie", this.header);
    request.headers.set("origin", new URL(request.url).origin);
    const response = await fetch(request);
    for (const cookie of response.headers.getSetCookie()) this.#keep(cookie);
    return response;
  };

  #keep(cookie: string): void {
    const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
    if (/max-age=0/i.test(cookie)) this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }
}

/** A Better Auth client with the cookies of one browser. */
export function createBrowser(url: string = PLATFORM_URL) {
  const jar = new CookieJar();
  const auth = createAuthClient({ baseURL: url, fetchOptions: { customFetchImpl: jar.fetch } });
  return { auth, jar };
}

/** Somebody who is signed in. */
export interface SignedInUser extends ReturnType<typeof createBrowser> {
  client: Client;
  id: string;
  email: string;
  password: string;
}

/** Sign up a new user, in a browser of their own. */
export async function signUp(
  settings: Partial<ClientSettings> = {},
  browser = createBrowser(settings.url),
): Promise<SignedInUser> {
  const email = `${crypto.randomUUID()}@example.test`;
  const password = crypto.randomUUID();
  const { data, error } = await browser.auth.signUp.email({ email, password, name: "Ada" });
  if (error) throw new Error(`sign-up failed: ${String(error.status)}`);
  const client = createClient({ url: PLATFORM_URL, auth: browser.auth, ...settings });
  return { ...browser, client, id: data.user.id, email, password };
}
