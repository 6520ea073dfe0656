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

test("all tasks of a list are completed at once, and open again when that is undone", async () => {
  const { list, parent, soil, pot } = await createParent();
  const { store, requests } = device;
  store.changeTask(pot.id, { is_completed: true });
  const other = store.createTask({ title: "Elsewhere" });
  await store.sync();
  let changes = 0;
  store.subscribe(() => (changes += 1));

  const undo = store.changeTasks({ listId: list.id, status: "pending" }, { is_completed: true });
  expect(changes).toBe(1);
  expect(store.getTasks({ status: "pending" }).map(({ id }) => id)).toEqual([other.id]);
  await store.sync();
  requests.length = 0;
  undo();
  await store.sync();

  const writes = requests.filter((request) => !request.startsWith("GET"));
  expect(writes.sort()).toEqual([`PATCH /tasks/${parent.id}`, `PATCH /tasks/${soil.id}`].sort());
  expect(store.getTasks({ status: "completed" }).map(({ id }) => id)).toEqual([pot.id]);
});

test("undoing a change of many leaves what was changed since", async () => {
  const { store } = device;
  const { parent, soil, pot } = await createParent();

  const undo = store.changeTasks({}, { is_completed: true, priority: "high" });
  store.changeTask(soil.id, { priority: "low" });
  store.deleteTask(pot.id);
  undo();
  await store.sync();

  expect(store.getTask(parent.id)).toMatchObject({ is_completed: false, priority: "none" });
  expect(store.getTask(soil.id)).toMatchObject({ is_completed: false, priority: "low" });
  expect(store.getTask(pot.id)).toBeUndefined();
});

test("completed tasks are cleared offline, and come back in their places", async () => {
  const { store } = device;
  for (const title of ["One", "Two", "Three", "Four", "Five"]) store.createTask({ title });
  await store.sync();
  device.goOffline();
  for (const task of store.getTasks()) {
    const isOdd = ["One", "Three", "Five"].includes(task.title);
    store.changeTask(task.id, { is_completed: isOdd });
  }

  const undo = store.deleteTasks({ listId: null, status: "completed" });
  const cleared = device.titles;
  device.goOnline();
  await store.sync();
  const remaining = (await user.client.tasks.list()).map(({ title }) => title);
  undo();
  const shown = device.titles;
  await store.sync();

  expect(cleared).toEqual(["Two", "Four"]);
  expect(remaining.sort()).toEqual(["Four", "Two"]);
  expect(shown).toEqual(["One", "Two", "Three", "Four", "Five"]);
  const inOrder = await user.client.tasks.list({ list_id: "none", sort: "position" });
  expect(inOrder.map(({ title, is_completed }) => [title, is_completed])).toEqual([
    ["One", true],
    ["Two", false],
    ["Three", true],
    ["Four", false],
    ["Five", true],
  ]);
});
