import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { jwt } from "better-auth/plugins";
import { expect, test, vi } from "vitest";
import { SignedOutError } from "../src/index.js";
import { createServerClient } from "../src/server/index.js";
import { PLATFORM_URL, signUp } from "./support.js";

/** The headers of a request that a browser makes. */
function headersOf(cookies: string): Headers {
  return new Headers({ cookie: cookies });
}

/** Ask the platform's Better Auth server, as `auth.api.getToken` does inside of it. */
async function getToken(headers: Headers): Promise<string | null> {
  const response = await fetch(`${PLATFORM_URL}/api/auth/token`, { headers });
  if (response.status === 401) return null;
  return ((await response.json()) as { token: string }).token;
}

test("requests of one session share a token", async () => {
  const { browser } = await signUp();
  const spy = vi.fn(getToken);
  const clientFor = createServerClient({ url: PLATFORM_URL, getToken: spy });

  await clientFor(headersOf(browser.cookies)).tasks.create({ title: "Water the plants" });
  const tasks = await clientFor(headersOf(`theme=dark; ${browser.cookies}`)).tasks.list();

  expect(tasks).toHaveLength(1);
  expect(spy).toHaveBeenCalledTimes(1);
});

test("requests of two sessions at once never share anything", async () => {
  const ada = await signUp();
  const grace = await signUp();
  const clientFor = createServerClient({ url: PLATFORM_URL, getToken });
  const subjectOf = async ({ browser }: typeof ada) =>
    (await clientFor(headersOf(browser.cookies)).users.me()).auth_subject;

  const calls = Array.from({ length: 20 }, (_, index) => subjectOf(index % 2 ? ada : grace));

  const expected = Array.from({ length: 20 }, (_, index) => (index % 2 ? ada.id : grace.id));
  expect(await Promise.all(calls)).toEqual(expected);
});

test("a request without a session is signed out, also after one with a session", async () => {
  const { browser } = await signUp();
  const clientFor = createServerClient({ url: PLATFORM_URL, getToken });
  await clientFor(headersOf(browser.cookies)).users.me();

  await expect(clientFor(new Headers()).users.me()).rejects.toThrow(SignedOutError);
  await expect(clientFor(headersOf("theme=dark")).users.me()).rejects.toThrow(SignedOutError);
});

test("only so many sessions are kept", async () => {
  const spy = vi.fn(() => Promise.resolve("not.a.token"));
  const clientFor = createServerClient({ url: PLATFORM_URL, getToken: spy, sessionsMax: 2 });
  const get = (session: string) =>
    clientFor(headersOf(`better-auth.session_token=${session}`)).tokens.get();

  for (const session of ["a", "b", "a", "c", "a", "b"]) await get(session);

  expect(spy).toHaveBeenCalledTimes(4);
});

test("auth.api.getToken of a Better Auth instance can be given as it is", async () => {
  const tables = { user: [], session: [], account: [], verification: [], jwks: [] };
  const auth = betterAuth({
    baseURL: "http://localhost:3000",
    secret: crypto.randomUUID(),
    database: memoryAdapter(tables),
    emailAndPassword: { enabled: true },
    plugins: [jwt()],
    telemetry: { enabled: false },
  });
  const { headers } = await auth.api.signUpEmail({
    body: { name: "Ada", email: "ada@example.test", password: crypto.randomUUID() },
    returnHeaders: true,
  });
  const cookies = headers.getSetCookie().map((cookie) => cookie.split(";")[0]);
  const clientFor = createServerClient({
    url: PLATFORM_URL,
    getToken: (requestHeaders) => auth.api.getToken({ headers: requestHeaders }),
  });

  const token = await clientFor(headersOf(cookies.join("; "))).tokens.get();

  expect(token.split(".")).toHaveLength(3);
  await expect(clientFor(new Headers()).tokens.get()).rejects.toThrow(SignedOutError);
});
