import { expect, test, vi } from "vitest";
import { createClient, SignedOutError, type ClientSettings } from "../src/index.js";
import { FaultProxy, sleep } from "./fault-proxy.js";
import { signUp, type SignedInUser } from "./support.js";

// Node.js has the same Web Locks and broadcast channels as browsers; e2e/browser has real tabs.
const TOKEN = "/api/auth/token";

/** Open another tab in the browser of a user. */
function openTab({ browser }: SignedInUser, url: string, settings: Partial<ClientSettings> = {}) {
  const auth = browser.createAuth(url);
  return createClient({ url, auth, sharesTokens: true, ...settings });
}

test("tabs that start at once ask for one token", async () => {
  await using proxy = await FaultProxy.start();
  const user = await signUp();
  const tabs = Array.from({ length: 5 }, () => openTab(user, proxy.url));

  await Promise.all(tabs.map((tab) => tab.users.me()));

  expect(proxy.count("GET", TOKEN)).toBe(1);
});

test("a new tab takes the token of an open one", async () => {
  await using proxy = await FaultProxy.start();
  const user = await signUp();
  await openTab(user, proxy.url).users.me();

  await openTab(user, proxy.url).users.me();

  expect(proxy.count("GET", TOKEN)).toBe(1);
});

test("when a tab hangs while it asks for a token, the others go on", async () => {
  await using proxy = await FaultProxy.start();
  const user = await signUp();
  proxy.plan(({ path }) => path === TOKEN, "hang");
  const hanging = openTab(user, proxy.url).users.me({ deadlineSeconds: 1 });
  const ended = expect(hanging).rejects.toThrow("answer");
  await sleep(0.3);

  const start = performance.now();
  await openTab(user, proxy.url).users.me();

  expect(performance.now() - start).toBeLessThan(8000);
  await ended;
});

test("signing out in one tab ends the session of the user in all", async () => {
  await using proxy = await FaultProxy.start();
  const ada = await signUp();
  const [first, second] = [openTab(ada, proxy.url), openTab(ada, proxy.url)];
  await Promise.all([first.users.me(), second.users.me()]);
  proxy.plan(({ method }) => method === "POST", { status: 429, headers: { "retry-after": "1" } });
  const waiting = second.tasks.create({ title: "Ada's secret" });
  const ended = expect(waiting).rejects.toThrow(SignedOutError);
  await sleep(0.2);

  const grace = await signUp({ browser: ada.browser });
  first.tokens.forget();
  await sleep(0.1);

  await ended;
  expect((await second.users.me()).auth_subject).toBe(grace.id);
  expect((await first.users.me()).auth_subject).toBe(grace.id);
});

test("a token that was asked for before the sign-out is not handed to other tabs after it", async () => {
  await using proxy = await FaultProxy.start();
  const ada = await signUp();
  const [first, second] = [openTab(ada, proxy.url), openTab(ada, proxy.url)];
  proxy.plan(({ path }) => path === TOKEN, { delaySeconds: 0.5 });
  const late = first.users.me().catch((error: unknown) => error);
  await sleep(0.2);

  second.tokens.forget();
  const grace = await signUp({ browser: ada.browser });
  await sleep(0.5);

  expect(await late).toBeInstanceOf(SignedOutError);
  expect((await second.users.me()).auth_subject).toBe(grace.id);
});

test("without Web Locks each tab asks by itself", async () => {
  await using proxy = await FaultProxy.start();
  const user = await signUp();
  vi.stubGlobal("navigator", {});
  const tabs = [openTab(user, proxy.url), openTab(user, proxy.url)];
  vi.unstubAllGlobals();

  for (const tab of tabs) await tab.users.me();

  expect(proxy.count("GET", TOKEN)).toBe(2);
});
