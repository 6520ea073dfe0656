import { afterEach, beforeEach, expect, test } from "vitest";
import { NetworkError, ProblemError } from "../src/index.js";
import { FaultProxy, type Fate, type SeenRequest } from "./fault-proxy.js";
import { signUp, type SignedInUser } from "./support.js";

let proxy: FaultProxy;
let user: SignedInUser;

beforeEach(async () => {
  proxy = await FaultProxy.start();
  user = await signUp({ url: proxy.url });
});

afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
});

const isRequestForTasks = ({ path }: SeenRequest) => path.startsWith("/tasks");

function busy(status: number, retryAfter: string): Fate {
  return { status, headers: { "retry-after": retryAfter }, body: "<html>Busy</html>" };
}

test.each<Fate>(["lose-request", "lose-response", "cut-response", busy(503, "0"), busy(500, "0")])(
  "a creation with the fate %o makes exactly one task",
  async (fate) => {
    proxy.plan(isRequestForTasks, fate, fate);

    const created = await user.client.tasks.create({ title: "Water the plants" });

    expect(proxy.count("POST", "/tasks")).toBe(3);
    expect(await user.client.tasks.list()).toEqual([created]);
  },
);

test("a creation under an id is repeated without a conflict", async () => {
  const id = crypto.randomUUID();
  proxy.plan(isRequestForTasks, "lose-response");

  const created = await user.client.tasks.create({ title: "Water the plants" }, { id });

  expect(await user.client.tasks.list()).toEqual([created]);
});

test("a creation under an id that is in use is refused", async () => {
  const { id } = await user.client.tasks.create({ title: "Water the plants" });

  const again = user.client.tasks.create({ title: "Water the cactus" }, { id });

  await expect(again).rejects.toMatchObject({ status: 412, code: "task-exists" });
});

test.each<Fate>(["lose-request", "lose-response", busy(503, "0")])(
  "a change of what was read with the fate %o happens once, without a conflict",
  async (fate) => {
    const task = await user.client.tasks.create({ title: "Water the plants" });
    proxy.plan(isRequestForTasks, fate);

    const due = { date: "2026-12-01" };
    const changed = await user.client.tasks.change(task, { title: " Water the cactus", due });

    expect(proxy.count("PATCH", "/tasks")).toBe(2);
    expect(changed).toMatchObject({ title: "Water the cactus", due });
    expect(await user.client.tasks.get(task.id)).toEqual(changed);
  },
);

test.each<Fate>(["lose-request", "lose-response"])(
  "a deletion of what was read with the fate %o succeeds",
  async (fate) => {
    const task = await user.client.tasks.create({ title: "Water the plants" });
    proxy.plan(isRequestForTasks, fate);

    await user.client.tasks.delete(task);

    expect(await user.client.tasks.list()).toEqual([]);
  },
);

test("a move is repeated, and happens once", async () => {
  const first = await user.client.tasks.create({ title: "first" });
  const second = await user.client.tasks.create({ title: "second" });
  proxy.plan(isRequestForTasks, "lose-response");

  const moved = await user.client.tasks.move(second, { after: null });

  expect(moved.version).toBe((await user.client.tasks.get(second.id)).version);
  const order = await user.client.tasks.list({ sort: "position" });
  expect(order.map((task) => task.id)).toEqual([second.id, first.id]);
});

test.each<Fate>(["lose-request", "lose-response", busy(503, "0")])(
  "a write without a tag with the fate %o is not repeated",
  async (fate) => {
    const { id } = await user.client.tasks.create({ title: "Water the plants" });
    proxy.plan(isRequestForTasks, fate);

    const change = user.client.tasks.change(id, { title: "Water the cactus" });

    await expect(change).rejects.toMatchObject({ isRetryable: true });
    expect(proxy.count("PATCH", "/tasks")).toBe(1);
  },
);

test("a write that the rate limit has stopped is repeated even without a tag", async () => {
  const { id } = await user.client.tasks.create({ title: "Water the plants" });
  proxy.plan(isRequestForTasks, busy(429, "0"));

  await user.client.tasks.change(id, { title: "Water the cactus" });

  expect(proxy.count("PATCH", "/tasks")).toBe(2);
});

test.each<[string, () => string]>([
  ["seconds", () => "1"],
  ["a date", () => new Date(Date.now() + 2000).toUTCString()],
])("Retry-After as %s is waited for", async (_name, retryAfter) => {
  proxy.plan(isRequestForTasks, busy(503, retryAfter()));

  const start = performance.now();
  await user.client.tasks.list();

  expect(performance.now() - start).toBeGreaterThan(900);
});

test("a Retry-After beyond the deadline ends the call at once", async () => {
  proxy.plan(isRequestForTasks, busy(503, "3600"));

  const start = performance.now();
  const error: unknown = await user.client.tasks.list().catch((reason: unknown) => reason);

  expect(error).toMatchObject({ status: 503, retryAfterSeconds: 3600, isRetryable: true });
  expect(performance.now() - start).toBeLessThan(1000);
});

test("a Retry-After beyond all timers counts as a day", async () => {
  proxy.plan(isRequestForTasks, busy(503, "9".repeat(20)));

  const error: unknown = await user.client.tasks.list().catch((reason: unknown) => reason);

  expect(error).toMatchObject({ status: 503, retryAfterSeconds: 86_400 });
});

test("a platform that hangs ends the call at its deadline", async () => {
  proxy.decide = (request) => (isRequestForTasks(request) ? "hang" : "pass");

  const call = user.client.tasks.list({}, { deadlineSeconds: 0.5 });

  await expect(call).rejects.toThrow(NetworkError);
});

test.each<Fate>(["hang", busy(503, "5")])(
  "aborting during the fate %o rejects with the caller's reason",
  async (fate) => {
    proxy.decide = (request) => (isRequestForTasks(request) ? fate : "pass");
    const controller = new AbortController();
    setTimeout(() => {
      controller.abort();
    }, 300);

    const call = user.client.tasks.list({}, { signal: controller.signal });

    await expect(call).rejects.toMatchObject({ name: "AbortError" });
  },
);

test("with retries: 0 nothing is repeated", async () => {
  proxy.decide = (request) => (isRequestForTasks(request) ? busy(503, "0") : "pass");

  await expect(user.client.tasks.list({}, { retries: 0 })).rejects.toThrow(ProblemError);

  expect(proxy.count("GET", "/tasks")).toBe(1);
});

test("an unchanged list is not sent again, and each caller has an object of its own", async () => {
  await user.client.tasks.create({ title: "Water the plants" });

  const first = await user.client.tasks.list();
  first[0] = { ...first[0], title: "Changed by the caller" } as (typeof first)[0];
  const second = await user.client.tasks.list();

  const statuses = proxy.seen.filter(({ method }) => method === "GET").map((seen) => seen.status);
  expect(statuses.slice(-2)).toEqual([200, 304]);
  expect(second).toMatchObject([{ title: "Water the plants" }]);
});

test("pages are found again after a 304", async () => {
  for (const title of ["one", "two", "three"]) await user.client.tasks.create({ title });

  const titles: string[][] = [];
  for (let round = 0; round < 2; round += 1) {
    const round: string[] = [];
    for await (const task of user.client.tasks.list({ limit: 2 })) round.push(task.title);
    titles.push(round);
  }

  expect(titles).toEqual(Array(2).fill(["one", "two", "three"]));
});

test("another user never sees what was cached for the first one", async () => {
  await user.client.tasks.create({ title: "Ada's task" });
  await user.client.tasks.list();
  await signUp({ browser: user.browser });
  user.client.tokens.forget();

  expect(await user.client.tasks.list()).toEqual([]);
  expect(proxy.seen.at(-1)?.headers["if-none-match"]).toBeUndefined();
});

test("the page of a hotel in place of an answer is no task", async () => {
  const headers = { "content-type": "text/html" };
  proxy.decide = (request) =>
    isRequestForTasks(request) ? { status: 200, headers, body: "<html>Welcome</html>" } : "pass";

  await expect(user.client.tasks.list()).rejects.toThrow(NetworkError);
});
