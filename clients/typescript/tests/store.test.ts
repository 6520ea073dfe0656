import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Device } from "./devices.js";
import { type SignedInUser, signUp } from "./support.js";

let user: SignedInUser;
let devices: Device[];

beforeEach(async () => {
  user = await signUp();
  devices = [];
});

afterEach(() => {
  vi.unstubAllGlobals();
  for (const { store } of devices) {
    store.close();
  }
});

async function openDevice(): Promise<Device> {
  const device = new Device(user);
  devices.push(device);
  await device.store.sync();
  return device;
}

/** Let all devices send and read until they have the same. */
async function syncAll(): Promise<void> {
  for (const device of [...devices, ...devices]) {
    await device.store.sync();
  }
}

test("a new task is shown at once, and on the server after the next sync", async () => {
  const { store, titles } = await openDevice();
  expect(titles).toEqual([]);

  const created = store.createTask({ title: "  Water the plants " });

  expect(store.getTasks()).toEqual([created]);
  expect(created).toMatchObject({ title: "Water the plants", isPending: true });
  await store.sync();
  expect(await user.client.tasks.get(created.id)).toMatchObject({ title: "Water the plants" });
  expect(store.getStatus()).toMatchObject({ state: "saved", pending: 0, isLoaded: true });
  expect(store.getTask(created.id)?.isPending).toBe(false);
});

test("the methods of a store work when they are handed on without it", async () => {
  const { subscribe, getTasks, getLists, getLabels, getStatus, getConflicts, ...others } = (
    await openDevice()
  ).store;
  const listener = vi.fn();
  const unsubscribe = subscribe(listener);

  const { id } = others.createTask({ title: "Water the plants" });
  others.changeTask(id, { title: "Water the fern" });
  others.moveTask(id, { after: null });
  await others.sync();

  expect(listener).toHaveBeenCalled();
  expect(getTasks()).toMatchObject([{ title: "Water the fern" }]);
  expect([getLists(), getLabels(), getConflicts()]).toEqual([[], [], []]);
  expect(getStatus()).toMatchObject({ state: "saved", pending: 0 });
  unsubscribe();
  others.deleteTask(id)();
  others.close();
});

test("in React Native, whose window has no events, the copy is in memory", async () => {
  vi.stubGlobal("window", {});

  const { store } = await openDevice();
  store.createTask({ title: "Water the plants" });
  await store.sync();

  expect(store.getStatus()).toMatchObject({ state: "saved", pending: 0, isKept: false });
});

test("a second device sees what the first one did", async () => {
  const first = await openDevice();
  const second = await openDevice();
  const list = first.store.createList({ name: "Home" });
  const fields = { title: "Water the plants", list_id: list.id, labels: ["green"] };
  const task = first.store.createTask(fields);
  first.store.changeTask(task.id, { is_completed: true });

  await syncAll();

  expect(second.store.getLists()).toMatchObject([{ name: "Home" }]);
  expect(second.store.getLabels()).toMatchObject([{ name: "green", task_count: 1 }]);
  expect(second.store.getTasks({ listId: list.id, status: "completed" })).toEqual(
    first.store.getTasks({ listId: list.id }),
  );
});

/** Long enough for a poll. */
const PATIENCE = { timeout: 20_000 };

test("an open device sees a task of another one within ten seconds", PATIENCE, async () => {
  const first = await openDevice();
  const second = await openDevice();

  first.store.createTask({ title: "Water the plants" });

  await vi.waitFor(() => {
    expect(second.titles).toEqual(["Water the plants"]);
  }, 10_000);
});

test("an edit costs one request", async () => {
  const { store, requests } = await openDevice();
  const { id } = store.createTask({ title: "Water the plants" });
  await store.sync();
  requests.length = 0;

  store.changeTask(id, { is_completed: true });

  await vi.waitFor(() => {
    expect(store.getStatus().state).toBe("saved");
  });
  expect(requests).toEqual([`PATCH /tasks/${id}`]);
});

test("a creation whose answer is lost makes exactly one task", PATIENCE, async () => {
  const device = await openDevice();
  device.loseNextAnswer();

  device.store.createTask({ title: "Water the plants" });

  await vi.waitFor(() => {
    expect(device.store.getStatus()).toMatchObject({ state: "saved", pending: 0 });
  }, 5_000);
  expect(device.titles).toEqual(["Water the plants"]);
  expect(await user.client.tasks.list()).toHaveLength(1);
  expect(device.requests.filter((request) => request.startsWith("PUT"))).toHaveLength(2);
});

test("an edit whose answer is lost is no conflict with the next edit", async () => {
  const device = await openDevice();
  const { id } = device.store.createTask({ title: "Water the plants" });
  await device.store.sync();
  device.loseNextAnswer();

  device.store.changeTask(id, { title: "Water the cactus" });
  await vi.waitFor(() => {
    expect(device.store.getStatus().state).toBe("offline");
  });
  device.store.changeTask(id, { title: "Water the fern" });
  await device.store.sync();

  expect(device.store.getConflicts()).toEqual([]);
  expect(await user.client.tasks.get(id)).toMatchObject({ title: "Water the fern" });
});

test("what is edited offline is shown, and sent in order when the network is back", async () => {
  const device = await openDevice();
  device.goOffline();

  device.store.createTask({ title: "One" });
  device.store.createTask({ title: "Two" });
  const three = device.store.createTask({ title: "Three" });
  device.store.deleteTask(three.id);
  await device.store.sync();

  expect(device.titles).toEqual(["One", "Two"]);
  expect(device.store.getStatus()).toMatchObject({ state: "offline", pending: 2 });
  device.goOnline();
  await device.store.sync();
  expect(device.store.getStatus()).toMatchObject({ state: "saved", pending: 0 });
  const tasks = await user.client.tasks.list();
  expect(tasks.map(({ title }) => title)).toEqual(["One", "Two"]);
});

test("different fields changed on two devices both arrive", async () => {
  const first = await openDevice();
  const second = await openDevice();
  const { id } = first.store.createTask({ title: "Water the plants" });
  await syncAll();

  first.store.changeTask(id, { title: "Water the cactus" });
  second.store.changeTask(id, { priority: "high", labels: ["green"] });
  await syncAll();

  for (const { store } of devices) {
    const merged = { title: "Water the cactus", priority: "high", labels: ["green"] };
    expect(store.getTask(id)).toMatchObject({ ...merged, isPending: false });
    expect(store.getConflicts()).toEqual([]);
  }
});

test("the same field changed on two devices waits for the user, who sees both texts", async () => {
  const first = await openDevice();
  const second = await openDevice();
  const { id } = first.store.createTask({ title: "Water the plants" });
  await syncAll();

  first.store.changeTask(id, { title: "Water the cactus" });
  second.goOffline();
  second.store.changeTask(id, { title: "Water the fern", is_completed: true });
  await first.store.sync();
  second.goOnline();
  await syncAll();

  const [conflict] = second.store.getConflicts();
  expect(conflict).toMatchObject({
    kind: "task",
    taskId: id,
    field: "title",
    base: "Water the plants",
    mine: "Water the fern",
    theirs: "Water the cactus",
  });
  expect(second.store.getStatus()).toMatchObject({ state: "saved", pending: 1 });
  expect(first.store.getTask(id)).toMatchObject({ title: "Water the cactus", is_completed: true });
  if (conflict === undefined) {
    return;
  }
  second.store.resolveConflict(conflict, "mine");
  await syncAll();
  expect(second.store.getConflicts()).toEqual([]);
  expect(second.store.getStatus()).toMatchObject({ state: "saved", pending: 0 });
  expect(first.store.getTask(id)?.title).toBe("Water the fern");
});

test("a task that was deleted elsewhere and edited here comes back if the user wants", async () => {
  const first = await openDevice();
  const second = await openDevice();
  const { id } = first.store.createTask({ title: "Water the plants", priority: "high" });
  await syncAll();
  first.store.deleteTask(id);
  second.goOffline();
  second.store.changeTask(id, { title: "Water the fern" });
  await first.store.sync();
  second.goOnline();
  await syncAll();

  const [conflict] = second.store.getConflicts();
  expect(conflict).toMatchObject({ field: "is_deleted", mine: false, theirs: true });
  expect(second.store.getStatus()).toMatchObject({ state: "saved", pending: 1 });
  expect(second.titles).toEqual(["Water the fern"]);
  if (conflict === undefined) {
    return;
  }
  second.store.resolveConflict(conflict, "mine");
  await syncAll();

  expect(first.store.getTask(id)).toMatchObject({ title: "Water the fern", priority: "high" });
});

test("an undone deletion brings the task back to its place, with all fields", async () => {
  const first = await openDevice();
  const second = await openDevice();
  const list = first.store.createList({ name: "Home" });
  const due = { date: "2026-12-01", time: "08:30", time_zone: "Europe/Berlin" };
  const fields = { list_id: list.id, due, priority: "high" } as const;
  const texts = { title: "One", description: "Slowly.", labels: ["green"] };
  const { id } = first.store.createTask({ ...texts, ...fields });
  first.store.createTask({ title: "Two", list_id: list.id });
  await syncAll();
  const before = second.store.getTask(id);

  const undo = first.store.deleteTask(id);
  await syncAll();
  expect(second.titles).toEqual(["Two"]);
  undo();
  expect(first.titles).toEqual(["One", "Two"]);
  await syncAll();

  for (const { store, titles } of devices) {
    expect(titles).toEqual(["One", "Two"]);
    expect(store.getTask(id)).toMatchObject({
      title: "One",
      description: "Slowly.",
      list_id: list.id,
      due: before?.due,
      priority: "high",
      labels: ["green"],
      isPending: false,
    });
  }
});

test("a deletion that is undone before it is sent is not sent", async () => {
  const device = await openDevice();
  const { id } = device.store.createTask({ title: "Water the plants" });
  await device.store.sync();
  device.goOffline();
  device.requests.length = 0;

  const undo = device.store.deleteTask(id);
  expect(device.titles).toEqual([]);
  await vi.waitFor(() => {
    expect(device.store.getStatus().state).toBe("offline");
  });
  undo();
  device.goOnline();
  await device.store.sync();

  expect(device.titles).toEqual(["Water the plants"]);
  expect(await user.client.tasks.get(id)).toMatchObject({ title: "Water the plants" });
});

test("tasks and lists keep the order in which the user put them", async () => {
  const first = await openDevice();
  await openDevice();
  const lists = ["A", "B", "C"].map((name) => first.store.createList({ name }));
  const tasks = ["One", "Two", "Three"].map((title) => first.store.createTask({ title }));
  await syncAll();

  first.store.moveTask(tasks[2]?.id ?? "", { after: null });
  first.store.moveTask(tasks[0]?.id ?? "", { after: tasks[1]?.id ?? "" });
  first.store.moveList(lists[0]?.id ?? "", { after: lists[1]?.id ?? "" });

  expect(first.titles).toEqual(["Three", "Two", "One"]);
  await syncAll();
  for (const { store, titles } of devices) {
    expect(titles).toEqual(["Three", "Two", "One"]);
    expect(store.getLists().map(({ name }) => name)).toEqual(["B", "A", "C"]);
    expect(store.getStatus()).toMatchObject({ pending: 0 });
  }
});

test("a move after a task that was deleted elsewhere still takes place", async () => {
  const first = await openDevice();
  const second = await openDevice();
  const tasks = ["One", "Two", "Three", "Four"].map((title) => first.store.createTask({ title }));
  await syncAll();
  second.goOffline();
  second.store.moveTask(tasks[0]?.id ?? "", { after: tasks[2]?.id ?? "" });
  first.store.deleteTask(tasks[2]?.id ?? "");
  await first.store.sync();

  second.goOnline();
  await syncAll();

  expect(first.titles).toEqual(["Two", "One", "Four"]);
  expect(second.titles).toEqual(first.titles);
});

test("a task moves to another list and place with one request", async () => {
  const device = await openDevice();
  const list = device.store.createList({ name: "Home" });
  const there = device.store.createTask({ title: "There", list_id: list.id });
  const moved = device.store.createTask({ title: "Moved" });
  await device.store.sync();
  device.requests.length = 0;

  device.store.moveTask(moved.id, { after: there.id, list_id: list.id });

  const titles = () => device.store.getTasks({ listId: list.id }).map(({ title }) => title);
  expect(titles()).toEqual(["There", "Moved"]);
  await vi.waitFor(() => {
    expect(device.store.getStatus().state).toBe("saved");
  });
  expect(device.requests).toEqual([`POST /tasks/${moved.id}/move`]);
  expect(titles()).toEqual(["There", "Moved"]);
});

test("the tasks of a deleted list move to the inbox", async () => {
  const first = await openDevice();
  const second = await openDevice();
  const list = first.store.createList({ name: "Home" });
  first.store.createTask({ title: "Water the plants", list_id: list.id });
  await syncAll();

  first.store.deleteList(list.id);

  expect(first.store.getTasks({ listId: null })).toHaveLength(1);
  await syncAll();
  expect(second.store.getLists()).toEqual([]);
  expect(second.store.getTasks({ listId: null })).toHaveLength(1);
});

test("a list takes its tasks with it if the user wants", async () => {
  const device = await openDevice();
  const list = device.store.createList({ name: "Home" });
  device.store.createTask({ title: "Water the plants", list_id: list.id });
  await device.store.sync();

  device.store.deleteList(list.id, { tasks: "delete" });

  expect(device.titles).toEqual([]);
  await device.store.sync();
  expect(await user.client.tasks.list()).toEqual([]);
});

test("a renamed and a deleted label change on all tasks", async () => {
  const first = await openDevice();
  const second = await openDevice();
  first.store.createTask({ title: "Water the plants", labels: ["green", "old"] });
  await syncAll();
  const [green, old] = first.store.getLabels();

  first.store.changeLabel(green?.id ?? "", { name: "blue" });
  first.store.deleteLabel(old?.id ?? "");

  expect(first.store.getTasks()).toMatchObject([{ labels: ["blue"] }]);
  await syncAll();
  expect(second.store.getTasks()).toMatchObject([{ labels: ["blue"] }]);
  expect(second.store.getLabels()).toMatchObject([{ name: "blue", task_count: 1 }]);
});

test("a refused edit is undone and told to the user", async () => {
  const device = await openDevice();
  device.store.createList({ name: "Home" });
  const second = device.store.createList({ name: "Garden" });
  await device.store.sync();

  device.store.changeList(second.id, { name: "HOME" });
  await device.store.sync();

  expect(device.store.getLists().map(({ name }) => name)).toEqual(["Home", "Garden"]);
  const { state, problem } = device.store.getStatus();
  expect(state).toBe("saved");
  expect(problem?.code).toBe("name-taken");
  device.store.dismissProblem();
  expect(device.store.getStatus().problem).toBeUndefined();
});

test("a task with a refused label is kept without it", async () => {
  const device = await openDevice();

  device.store.createTask({ title: "Water the plants", labels: ["x".repeat(51)] });
  await device.store.sync();

  expect(await user.client.tasks.list()).toMatchObject([{ title: "Water the plants", labels: [] }]);
  expect(device.store.getStatus()).toMatchObject({ state: "saved", pending: 0 });
  expect(device.store.getStatus().problem?.status).toBe(422);
});

test(
  "without tokens everything stays editable, and is saved when they are back",
  PATIENCE,
  async () => {
    const device = await openDevice();
    const unauthenticated = new Device(user);
    devices.push(unauthenticated);
    unauthenticated.isAuthAvailable = false;

    unauthenticated.store.createTask({ title: "Water the plants" });
    await unauthenticated.store.sync();

    expect(unauthenticated.titles).toEqual(["Water the plants"]);
    expect(unauthenticated.store.getStatus()).toMatchObject({ state: "not-saved", pending: 1 });
    expect(unauthenticated.signedOutCount).toBe(0);
    unauthenticated.isAuthAvailable = true;
    await vi.waitFor(() => {
      expect(unauthenticated.store.getStatus()).toMatchObject({ state: "saved", pending: 0 });
    }, 10_000);
    await device.store.sync();
    expect(device.titles).toEqual(["Water the plants"]);
  },
);

test("an answer of something in front of the platform takes nothing out of the outbox", async () => {
  const device = await openDevice();
  const { id } = device.store.createTask({ title: "Water the plants" });
  await device.store.sync();

  for (const status of [403, 404, 500, 503]) {
    device.failNext(status);
    device.store.changeTask(id, { title: `Title ${String(status)}` });
    await vi.waitFor(() => {
      expect(device.store.getStatus().state).toBe("not-saved");
    });
    expect(device.store.getStatus().pending).toBe(1);
    await device.store.sync();
    expect(device.store.getStatus()).toMatchObject({ state: "saved", pending: 0 });
  }
  expect(await user.client.tasks.get(id)).toMatchObject({ title: "Title 503" });
});

test("an item at which the server fails keeps no other waiting", PATIENCE, async () => {
  const device = await openDevice();
  const other = await openDevice();
  const { id } = device.store.createTask({ title: "Water the plants" });
  await device.store.sync();
  device.network = (request, send) =>
    request.method === "PATCH" ? Promise.resolve(internalError()) : send(request);

  device.store.changeTask(id, { title: "Water the fern" });
  device.store.createTask({ title: "Water the cactus" });
  other.store.createTask({ title: "Water the roses" });
  await other.store.sync();

  await vi.waitFor(() => {
    expect(device.store.getStatus()).toMatchObject({ state: "not-saved", pending: 1 });
    expect(device.titles).toEqual(["Water the fern", "Water the cactus", "Water the roses"]);
  }, 10_000);
  device.goOnline();
  await vi.waitFor(() => {
    expect(device.store.getStatus()).toMatchObject({ state: "saved", pending: 0 });
  }, 10_000);
  expect(await user.client.tasks.get(id)).toMatchObject({ title: "Water the fern" });
});

test("a server that fails at everything is not asked for each item", async () => {
  const device = await openDevice();
  device.goOffline();
  for (let number = 1; number <= 20; number += 1) {
    device.store.createTask({ title: `Task ${String(number)}` });
  }
  await vi.waitFor(() => {
    expect(device.store.getStatus()).toMatchObject({ state: "offline", pending: 20 });
  });
  device.network = () => Promise.resolve(internalError());
  device.requests.length = 0;

  await device.store.sync();

  expect(device.store.getStatus()).toMatchObject({ state: "not-saved", pending: 20 });
  expect(device.requests.length).toBeLessThan(10);
});

test("a server that asks to wait is left alone for so long", PATIENCE, async () => {
  const device = await openDevice();
  device.failNext(503, { "retry-after": "2" });
  const startedAt = performance.now();

  device.store.createTask({ title: "Water the plants" });
  await vi.waitFor(() => {
    expect(device.store.getStatus().state).toBe("not-saved");
  });
  device.store.createTask({ title: "Water the cactus" });
  await vi.waitFor(() => {
    expect(device.store.getStatus()).toMatchObject({ state: "saved", pending: 0 });
  }, 10_000);

  expect(performance.now() - startedAt).toBeGreaterThan(1900);
});

test("another user's token sends nothing", async () => {
  const stranger = await signUp();
  const device = new Device({ ...stranger, id: user.id });
  devices.push(device);

  device.store.createTask({ title: "Mine" });
  await device.store.sync();

  expect(device.signedOutCount).toBeGreaterThan(0);
  expect(device.store.getStatus()).toMatchObject({ state: "not-saved", pending: 1 });
  expect(device.requests).toEqual([]);
});

test("after an erasure elsewhere the copy is read anew", async () => {
  const device = await openDevice();
  device.store.createTask({ title: "Water the plants" });
  await device.store.sync();

  await user.client.users.eraseMe();
  await user.client.tasks.create({ title: "A new life" });
  await device.store.sync();

  expect(device.titles).toEqual(["A new life"]);
});

test("edits of tasks that an erasure elsewhere has removed wait for the user", async () => {
  const device = await openDevice();
  const { id } = device.store.createTask({ title: "Water the plants" });
  await device.store.sync();
  device.goOffline();
  device.store.changeTask(id, { title: "Water the fern" });
  await user.client.users.eraseMe();
  device.goOnline();
  await device.store.sync();
  await device.store.sync();

  expect(device.store.getConflicts()).toMatchObject([{ field: "is_deleted", theirs: true }]);
  expect(device.titles).toEqual(["Water the fern"]);
});

/** What the platform answers when it has failed. */
function internalError(): Response {
  const problem = {
    status: 500,
    code: "internal-server-error",
    detail: "The platform has failed.",
    request_id: "4711",
  };
  return Response.json(problem, { status: problem.status });
}

/** Create a task, and import so many copies of it. */
async function createCopies(title: string, count: number): Promise<void> {
  await user.client.tasks.create({ title });
  const exported = await (await user.client.users.exportMe().blob()).text();
  const [head = "", task = ""] = exported.trim().split("\n");
  const copies = Array.from({ length: count }, () =>
    task.replace(/"id":"[^"]+"/, `"id":"${crypto.randomUUID()}"`),
  );
  await user.client.users.importMe([head, ...copies].join("\n"));
}

test("the old copy is shown until the new one is complete", PATIENCE, async () => {
  const device = await openDevice();
  device.store.createTask({ title: "Water the plants" });
  await device.store.sync();
  await user.client.users.eraseMe();
  await createCopies("A new life", 600);

  let pagesUntilFailure = 2;
  device.network = async (request, send) => {
    if (request.url.includes("since=")) {
      pagesUntilFailure -= 1;
    }
    if (pagesUntilFailure < 0) {
      throw new TypeError("offline");
    }
    return send(request);
  };
  await device.store.sync();

  expect(device.requests.slice(-3)).toEqual(Array(3).fill("GET /tasks/changes"));
  expect(device.titles).toEqual(["Water the plants"]);
  expect(device.store.getStatus()).toMatchObject({ state: "offline", isLoaded: true });
  device.goOnline();
  await vi.waitFor(() => {
    expect(device.titles).toHaveLength(601);
  }, 10_000);
  expect(device.titles).not.toContain("Water the plants");
});

test("more tasks than fit on a page are all loaded", async () => {
  await createCopies("Water the plants", 1200);

  const device = await openDevice();

  expect(device.store.getTasks()).toHaveLength(1201);
  expect(device.store.getStatus().isLoaded).toBe(true);
});

test("a closed store refuses edits", async () => {
  const { store } = await openDevice();
  store.close();

  expect(() => store.createTask({ title: "Too late" })).toThrow("closed");
});
