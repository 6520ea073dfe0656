import { afterEach, beforeEach, expect, test } from "vitest";

import { Device } from "./devices.js";
import { type SignedInUser, signUp } from "./support.js";

let user: SignedInUser;
let device: Device;

beforeEach(async () => {
  user = await signUp();
  device = new Device(user);
  await device.store.sync();
});

afterEach(() => {
  device.store.close();
});

/** A task in a list of its own with two subtasks, all saved. */
async function createParent() {
  const { store } = device;
  const list = store.createList({ name: "Home" });
  const parent = store.createTask({ title: "Repot the fern", list_id: list.id });
  const soil = store.createTask({ title: "Buy soil", parent_id: parent.id });
  const pot = store.createTask({ title: "Buy a pot", parent_id: parent.id });
  await store.sync();
  return { list, parent, soil, pot };
}

/** What the server has: the ids of all tasks with their parents and lists. */
async function serverTasks(): Promise<Record<string, (string | null)[]>> {
  const tasks = await user.client.tasks.list();
  return Object.fromEntries(tasks.map((task) => [task.id, [task.parent_id, task.list_id]]));
}

test("a checklist that was made offline arrives as one", async () => {
  device.goOffline();
  const creation = createParent();
  device.goOnline();
  const { list, parent, soil, pot } = await creation;

  const { store } = device;
  expect(store.getTasks({ parentId: parent.id }).map(({ id }) => id)).toEqual([soil.id, pot.id]);
  expect(await serverTasks()).toEqual({
    [parent.id]: [null, list.id],
    [soil.id]: [parent.id, list.id],
    [pot.id]: [parent.id, list.id],
  });
});

test("subtasks go with their parent to another list", async () => {
  const { parent, soil, pot } = await createParent();
  const { store } = device;
  const other = store.createList({ name: "Garden" });

  store.moveTask(parent.id, { after: null, list_id: other.id });
  const shown = store.getTasks({ listId: other.id }).map(({ id }) => id);
  await store.sync();

  expect(shown.sort()).toEqual([parent.id, soil.id, pot.id].sort());
  expect(await serverTasks()).toEqual({
    [parent.id]: [null, other.id],
    [soil.id]: [parent.id, other.id],
    [pot.id]: [parent.id, other.id],
  });
});

test("subtasks of a deleted task stay, and are under it again when that is undone", async () => {
  const { list, parent, soil, pot } = await createParent();
  const { store } = device;

  const undo = store.deleteTask(parent.id);
  expect(store.getTasks({ listId: list.id, parentId: null })).toHaveLength(2);
  await store.sync();
  const whileDeleted = await serverTasks();
  undo();
  const shown = store.getTasks({ parentId: parent.id }).map(({ id }) => id);
  await store.sync();

  expect(whileDeleted).toEqual({ [soil.id]: [null, list.id], [pot.id]: [null, list.id] });
  expect(shown).toEqual([soil.id, pot.id]);
  expect(await serverTasks()).toEqual({
    [parent.id]: [null, list.id],
    [soil.id]: [parent.id, list.id],
    [pot.id]: [parent.id, list.id],
  });
  expect(store.getConflicts()).toEqual([]);
});

test("subtasks are deleted with their task if that is asked for, and come back with it", async () => {
  const { list, parent, soil, pot } = await createParent();
  const { store } = device;

  const undo = store.deleteTask(parent.id, { subtasks: "delete" });
  expect(store.getTasks()).toEqual([]);
  await store.sync();
  const whileDeleted = await serverTasks();
  undo();
  await store.sync();

  expect(whileDeleted).toEqual({});
  expect(store.getConflicts()).toEqual([]);
  expect(await serverTasks()).toEqual({
    [parent.id]: [null, list.id],
    [soil.id]: [parent.id, list.id],
    [pot.id]: [parent.id, list.id],
  });
});

test("a deletion with subtasks that is undone before it is sent changes nothing", async () => {
  const { parent, soil } = await createParent();
  const { store, requests } = device;
  device.goOffline();
  store.changeTask(soil.id, { is_completed: true });

  store.deleteTask(parent.id, { subtasks: "delete" })();
  requests.length = 0;
  device.goOnline();
  await store.sync();

  const writes = requests.filter((request) => !request.startsWith("GET"));
  expect(writes).toEqual([`PATCH /tasks/${soil.id}`]);
  expect(store.getTasks({ parentId: parent.id, status: "completed" })).toHaveLength(1);
});

test("a subtask whose parent is deleted keeps what was edited with it", async () => {
  const { parent, soil } = await createParent();
  const { store } = device;
  device.goOffline();

  store.changeTask(soil.id, { title: "Buy peat-free soil" });
  store.deleteTask(parent.id);
  device.goOnline();
  await store.sync();

  expect(store.getConflicts()).toEqual([]);
  expect(await user.client.tasks.get(soil.id)).toMatchObject({
    title: "Buy peat-free soil",
    parent_id: null,
  });
});

test("a subtask of a task that was deleted elsewhere arrives as an ordinary task", async () => {
  const { list, parent } = await createParent();
  const { store } = device;
  device.goOffline();
  const { id } = store.createTask({ title: "Buy gloves", parent_id: parent.id, list_id: list.id });
  await user.client.tasks.delete(parent.id);

  device.goOnline();
  await store.sync();

  expect(store.getStatus().problem?.code).toBe("parent-not-found");
  const fields = { title: "Buy gloves", parent_id: null, list_id: list.id };
  expect(await user.client.tasks.get(id)).toMatchObject(fields);
  expect(store.getTask(id)).toMatchObject({ ...fields, isPending: false });
});

test("a subtask of a subtask is refused and undone", async () => {
  const { soil, pot } = await createParent();
  const { store } = device;

  store.changeTask(pot.id, { parent_id: soil.id, priority: "high" });
  await store.sync();

  expect(store.getStatus().problem?.code).toBe("nested-too-deep");
  expect(store.getTask(pot.id)).toMatchObject({ parent_id: soil.parent_id, priority: "high" });
});

test("a checklist repeats with open items", async () => {
  const { parent, soil } = await createParent();
  const { store } = device;
  const due = { date: "2026-12-07" };
  store.changeTask(parent.id, { due, recurrence: { rule: "FREQ=WEEKLY" } });
  store.changeTask(soil.id, { is_completed: true });
  await store.sync();

  store.changeTask(parent.id, { is_completed: true });
  await store.sync();

  const next = store.getTasks().find((task) => task.previous_id === parent.id);
  expect(next).toMatchObject({ is_completed: false, due: { date: "2026-12-14" } });
  expect(store.getTasks({ parentId: next?.id ?? "" })).toMatchObject([
    { title: "Buy soil", is_completed: false, previous_id: soil.id },
    { title: "Buy a pot", is_completed: false },
  ]);
});
