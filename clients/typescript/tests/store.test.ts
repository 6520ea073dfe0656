import { afterEach, expect, test } from "vitest";

import { type TaskStore, openStore } from "../src/sync/index.js";
import { type SignedInUser, signUp } from "./support.js";

const stores: TaskStore[] = [];

afterEach(() => {
  for (const store of stores.splice(0)) {
    store.close();
  }
});

/** A device of a user; in Node.js the copy is in memory. */
async function openDevice({ client, id }: SignedInUser): Promise<TaskStore> {
  const store = openStore({ client, user: id });
  stores.push(store);
  await store.sync();
  return store;
}

function titlesOf(store: TaskStore): string[] {
  return store.getTasks().map((task) => task.title);
}

test("a new task is shown at once, and on the server after the next sync", async () => {
  const user = await signUp();
  const store = await openDevice(user);

  const created = store.createTask({ title: "  Water the plants " });

  expect(titlesOf(store)).toEqual(["Water the plants"]);
  expect(created.isPending).toBe(true);
  await store.sync();
  expect(await user.client.tasks.get(created.id)).toMatchObject({ title: "Water the plants" });
  expect(store.getStatus()).toMatchObject({ state: "saved", pending: 0, isLoaded: true });
  expect(store.getTask(created.id)?.isPending).toBe(false);
});

test("a second device sees what the first one did", async () => {
  const user = await signUp();
  const first = await openDevice(user);
  const second = await openDevice(user);
  const list = first.createList({ name: "Home" });
  const task = first.createTask({ title: "Water the plants", list_id: list.id, labels: ["green"] });
  first.changeTask(task.id, { is_completed: true });
  await first.sync();

  await second.sync();

  expect(second.getLists()).toMatchObject([{ name: "Home" }]);
  expect(second.getLabels()).toMatchObject([{ name: "green", task_count: 1 }]);
  expect(second.getTasks({ listId: list.id, status: "completed" })).toEqual(
    first.getTasks({ listId: list.id }),
  );
});

test("different fields changed on two devices both arrive", async () => {
  const user = await signUp();
  const first = await openDevice(user);
  const second = await openDevice(user);
  const { id } = first.createTask({ title: "Water the plants" });
  await first.sync();
  await second.sync();

  first.changeTask(id, { title: "Water the cactus" });
  second.changeTask(id, { priority: "high" });
  await Promise.all([first.sync(), second.sync()]);
  await Promise.all([first.sync(), second.sync()]);

  const expected = { title: "Water the cactus", priority: "high", isPending: false };
  expect(first.getTask(id)).toMatchObject(expected);
  expect(second.getTask(id)).toMatchObject(expected);
  expect([...first.getConflicts(), ...second.getConflicts()]).toEqual([]);
});
