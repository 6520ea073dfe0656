import { jwtClient } from "better-auth/client/plugins";
import { createAuthClient } from "better-auth/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AuthUnavailableError, createClient, NetworkError, SignedOutError } from "../src/index.js";
import { FaultProxy, sleep } from "./fault-proxy.js";
import { Browser, PLATFORM_URL, SHORT_TOKENS_URL, signUp } from "./support.js";

const TOKEN = "/api/auth/token";
const MINUTES_16 = 16 * 60 * 1000;

let proxy: FaultProxy;

beforeEach(async () => {
  proxy = await FaultProxy.start();
});

afterEach(async () => {
  vi.useRealTimers();
  await proxy[Symbol.asyncDispose]();
});

/** Count the token requests that a browser makes. */
function countTokenRequests(browser: Browser): () => number {
  const spy = vi.spyOn(browser, "fetch");
  const urls = () => spy.mock.calls.map(([input]) => new Request(input).url);
  return () => urls().filter((url) => url.endsWith(TOKEN)).length;
}

function setClock(milliseconds: number): void {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(Date.now() + milliseconds);
}

test("twenty calls at once ask for one token", async () => {
  const { client } = await signUp({ url: proxy.url });

  await Promise.all(Array.from({ length: 20 }, () => client.users.me()));
  await client.users.me();

  expect(proxy.count("GET", TOKEN)).toBe(1);
});

test("calls with tokens of 3 seconds ask for one token in each lifetime", async () => {
  const browser = new Browser(SHORT_TOKENS_URL);
  const count = countTokenRequests(browser);
  const { client } = await signUp({ platform: SHORT_TOKENS_URL, browser });

  for (const lifetime of [1, 2, 3]) {
    await Promise.all(Array.from({ length: 20 }, () => client.users.me()));
    expect(count()).toBe(lifetime);
    await sleep(3);
  }
});

test.each([MINUTES_16, -MINUTES_16])(
  "after a jump of the clock by %d ms the next write succeeds with one renewal at most",
  async (milliseconds) => {
    const { client } = await signUp({ url: proxy.url });
    await client.users.me();

    setClock(milliseconds);
    await client.tasks.create({ title: "Water the plants" });
    await client.tasks.create({ title: "Water the cactus" });

    expect(proxy.count("GET", TOKEN)).toBeLessThanOrEqual(2);
    expect(await client.tasks.list()).toHaveLength(2);
  },
);

test.each([MINUTES_16, -MINUTES_16])(
  "with a clock that is wrong by %d ms a token is asked for once",
  async (milliseconds) => {
    setClock(milliseconds);
    const { client } = await signUp({ url: proxy.url });

    for (let call = 0; call < 5; call += 1) await client.users.me();

    expect(proxy.count("GET", TOKEN)).toBe(1);
  },
);

test("a function's token that seems expired by a wrong clock is used", async () => {
  const { browser } = await signUp();
  const auth = browser.createAuth();
  const fetchToken = vi.fn(async () => {
    const { data } = await auth.$fetch<{ token: string }>("/token");
    return data?.token ?? null;
  });
  setClock(MINUTES_16);
  const client = createClient({ url: PLATFORM_URL, auth: fetchToken });

  for (let call = 0; call < 5; call += 1) await client.users.me();

  expect(fetchToken).toHaveBeenCalledTimes(1);
});

test("a Better Auth client with the plugin jwtClient works as well", async () => {
  const { browser } = await signUp();
  const auth = createAuthClient({
    baseURL: PLATFORM_URL,
    plugins: [jwtClient()],
    fetchOptions: { customFetchImpl: browser.fetch, throw: true },
  });

  const client = createClient({ url: PLATFORM_URL, auth });

  expect(await client.tasks.list()).toEqual([]);
});

test("without a session calls reject with SignedOutError", async () => {
  const onSignedOut = vi.fn();
  const auth = new Browser(PLATFORM_URL).createAuth();
  const client = createClient({ url: PLATFORM_URL, auth, onSignedOut });

  await expect(client.tasks.list()).rejects.toThrow(SignedOutError);

  expect(onSignedOut).toHaveBeenCalledTimes(1);
});

test.each([null, "", undefined])("a function that returns %o is signed out", async (nothing) => {
  const client = createClient({ url: PLATFORM_URL, auth: () => Promise.resolve(nothing) });

  await expect(client.users.me()).rejects.toThrow(SignedOutError);
});

test.each([500, 503, 429, 404])(
  "status %d of the token endpoint signs nobody out",
  async (status) => {
    const onSignedOut = vi.fn();
    const { client } = await signUp({ url: proxy.url, onSignedOut });
    proxy.decide = ({ path }) => (path === TOKEN ? { status, body: "<html>" } : "pass");

    await expect(client.users.me({ retries: 1 })).rejects.toThrow(AuthUnavailableError);

    expect(proxy.count("GET", TOKEN)).toBe(2);
    expect(onSignedOut).not.toHaveBeenCalled();
    proxy.decide = () => "pass";
    await client.users.me();
  },
);

test("a page with status 200 in place of a token signs nobody out", async () => {
  const { client } = await signUp({ url: proxy.url });
  const headers = { "content-type": "text/html" };
  proxy.decide = ({ path }) =>
    path === TOKEN ? { status: 200, headers, body: "<html>Welcome</html>" } : "pass";

  await expect(client.users.me({ retries: 0 })).rejects.toThrow(AuthUnavailableError);
});

test("a lost connection to the token endpoint is overcome", async () => {
  const { client } = await signUp({ url: proxy.url });
  proxy.plan(({ path }) => path === TOKEN, "lose-request", "lose-response");

  await client.tasks.create({ title: "Water the plants" });

  expect(await client.tasks.list()).toHaveLength(1);
});

test("a token endpoint that hangs ends the call at its deadline", async () => {
  const { client } = await signUp({ url: proxy.url });
  proxy.decide = ({ path }) => (path === TOKEN ? "hang" : "pass");

  await expect(client.users.me({ deadlineSeconds: 0.5 })).rejects.toThrow(NetworkError);
});

test("the platform's Retry-After of a token request is kept", async () => {
  const { client } = await signUp({ url: proxy.url });
  const busy = { status: 429, headers: { "retry-after": "1" } };
  proxy.plan(({ path }) => path === TOKEN, busy);

  const start = performance.now();
  await client.users.me();

  expect(performance.now() - start).toBeGreaterThan(1000);
});

test.each(["token-expired", "token-invalid"])("%s renews the token once", async (code) => {
  const { client } = await signUp({ url: proxy.url });
  await client.users.me();
  proxy.plan(({ method }) => method === "POST", rejection(code));

  await client.tasks.create({ title: "Water the plants" });

  expect(proxy.count("GET", TOKEN)).toBe(2);
  expect(proxy.count("POST", "/tasks")).toBe(2);
});

test("a token that is rejected again ends the call, and nobody is signed out", async () => {
  const { client } = await signUp({ url: proxy.url });
  proxy.decide = ({ path }) => (path === "/users/me" ? rejection("token-invalid") : "pass");

  await expect(client.users.me()).rejects.toMatchObject({ status: 401, code: "token-invalid" });

  expect(proxy.count("GET", "/users/me")).toBe(2);
});

function rejection(code: string) {
  const body = JSON.stringify({ type: "", title: "", status: 401, detail: "No.", code });
  return { status: 401, headers: { "content-type": "application/problem+json" }, body };
}

test("after forget() the next user's token is used, and no call of the first one goes on", async () => {
  const ada = await signUp({ url: proxy.url });
  await ada.client.tasks.create({ title: "Ada's task" });
  proxy.plan(({ method }) => method === "POST", { status: 429, headers: { "retry-after": "1" } });
  const waiting = ada.client.tasks.create({ title: "Ada's secret" });
  const ended = expect(waiting).rejects.toThrow(SignedOutError);
  await sleep(0.2);

  await ada.auth.$fetch("/sign-out", { method: "POST", headers: { origin: PLATFORM_URL } });
  ada.client.tokens.forget();
  const grace = await signUp({ browser: ada.browser });

  await ended;
  expect(await ada.client.tasks.list()).toEqual([]);
  expect((await ada.client.users.me()).auth_subject).toBe(grace.id);
});

test("a token request that was under way during forget() brings back nobody", async () => {
  const ada = await signUp({ url: proxy.url });
  proxy.decide = ({ path }) => (path === TOKEN ? { delaySeconds: 0.5 } : "pass");
  const ended = expect(ada.client.users.me()).rejects.toThrow(SignedOutError);
  await sleep(0.2);
  ada.client.tokens.forget();
  const grace = await signUp({ browser: ada.browser });

  await ended;
  await sleep(0.5);

  expect((await ada.client.users.me()).auth_subject).toBe(grace.id);
});

test("signing in with the same Better Auth client makes a new token", async () => {
  const ada = await signUp();
  const grace = await signUp();
  expect((await ada.client.users.me()).auth_subject).toBe(ada.id);

  await ada.auth.signIn.email({ email: grace.email, password: grace.password });
  await sleep(0.1);

  expect((await ada.client.users.me()).auth_subject).toBe(grace.id);
});

test("when another user has signed in unnoticed, what the first one began ends", async () => {
  const ada = await signUp({ platform: SHORT_TOKENS_URL });
  expect((await ada.client.users.me()).auth_subject).toBe(ada.id);
  const grace = await signUp({ platform: SHORT_TOKENS_URL, browser: ada.browser });
  await sleep(3);

  await expect(ada.client.tasks.create({ title: "Ada's secret" })).rejects.toThrow(SignedOutError);

  expect((await ada.client.users.me()).auth_subject).toBe(grace.id);
  expect(await ada.client.tasks.list()).toEqual([]);
});

test("a client for one user never acts for another one", async () => {
  const ada = await signUp();
  const clientOfAda = ada.client.forUser(ada.id);
  await clientOfAda.tasks.create({ title: "Ada's task" });
  ada.client.tokens.forget();
  await signUp({ browser: ada.browser });

  await expect(clientOfAda.tasks.create({ title: "Ada's secret" })).rejects.toThrow(SignedOutError);

  expect(await ada.client.tasks.list()).toEqual([]);
});

test("a client for the user who has just signed in never uses the former user's token", async () => {
  const ada = await signUp();
  const grace = await signUp();
  await ada.client.users.me();

  await ada.auth.signIn.email({ email: grace.email, password: grace.password });
  const profile = await ada.client.forUser(grace.id).users.me();

  expect(profile.auth_subject).toBe(grace.id);
});

test("without network the error is about the network, also when a token is needed", async () => {
  const { client } = await signUp({ url: proxy.url });
  proxy.decide = () => "lose-request";
  vi.stubGlobal("navigator", { onLine: false });

  const start = performance.now();
  await expect(client.users.me()).rejects.toThrow(NetworkError);
  vi.unstubAllGlobals();

  expect(performance.now() - start).toBeLessThan(1000);
});

test("no error shows the token", async () => {
  const { client } = await signUp({ url: proxy.url });
  const token = await client.tokens.get();
  const errors: unknown[] = [];
  const failures = ["lose-request", { status: 503, body: "<html>" }, rejection("token-invalid")];
  for (const fate of failures) {
    proxy.decide = ({ path }) => (path === "/users/me" ? (fate as "lose-request") : "pass");
    await client.users.me({ retries: 0 }).catch((error: unknown) => errors.push(error));
  }

  expect(errors).toHaveLength(3);
  const { inspect } = await import("node:util");
  for (const error of errors) expect(inspect(error, { depth: 9 })).not.toContain(token.slice(-20));
});
