import { expect, test } from "vitest";
import { signUp } from "./support.js";

test("a created task is listed", async () => {
  const { client } = await signUp();

  const created = await client.tasks.create({ title: "Water the plants" });

  expect(created.is_completed).toBe(false);
  expect(await client.tasks.list()).toEqual([created]);
});

test("a changed task keeps the other fields", async () => {
  const { client } = await signUp();
  const created = await client.tasks.create({ title: "Water the plants", priority: "high" });

  const changed = await client.tasks.change(created, { status: "completed" });

  expect(changed).toMatchObject({
    title: "Water the plants",
    priority: "high",
    is_completed: true,
  });
  expect(await client.tasks.get(created.id)).toEqual(changed);
});

test("a deletion can be undone under the same id", async () => {
  const { client } = await signUp();
  const created = await client.tasks.create({ title: "Water the plants" });

  await client.tasks.delete(created);
  expect(await client.tasks.list()).toEqual([]);
  const again = await client.tasks.create({ title: created.title }, { id: created.id });

  expect(again.id).toBe(created.id);
  expect(await client.tasks.list()).toEqual([again]);
});

test("iterating asks for page after page", async () => {
  const { client } = await signUp();
  const titles = ["one", "two", "three", "four", "five"];
  for (const title of titles) await client.tasks.create({ title });

  const listed: string[] = [];
  for await (const task of client.tasks.list({ limit: 2 })) listed.push(task.title);

  expect(listed).toEqual(titles);
});

test("the answer to a completion says which task is next", async () => {
  const { client } = await signUp();
  const fields = { due: { date: "2026-12-07" }, recurrence: { rule: "FREQ=WEEKLY" } };
  const created = await client.tasks.create({ title: "Water the plants", ...fields });
  const single = await client.tasks.create({ title: "Buy soil" });

  const completed = await client.tasks.change(created, { status: "completed" });
  const other = await client.tasks.change(single, { status: "completed" });

  const next = await client.tasks.get(client.tasks.nextId(completed) ?? "");
  expect(next).toMatchObject({ previous_id: created.id, is_completed: false });
  expect(next.due?.date).toBe("2026-12-14");
  expect([created, other].map((task) => client.tasks.nextId(task))).toEqual([null, null]);
});

test("no ids are no filter, and never mean all tasks", async () => {
  const { client } = await signUp();
  const { id } = await client.tasks.create({ title: "Water the plants" });

  const deletion = client.tasks.deleteMany({ id: [], status: "pending" });

  await expect(deletion).rejects.toThrow(RangeError);
  expect(await client.tasks.get(id)).toMatchObject({ id });
});

test("many tasks are changed and deleted by their ids and other filters", async () => {
  const { client } = await signUp();
  const created = [];
  for (const title of ["one", "two", "three"]) created.push(await client.tasks.create({ title }));
  const [one, two] = created.map(({ id }) => id);
  const ids = [one ?? "", two ?? ""];

  const changed = await client.tasks.changeMany({ id: ids }, { labels_add: ["garden"] });
  const again = await client.tasks.changeMany({ label: ["garden"] }, { labels_add: ["Garden"] });
  const deleted = await client.tasks.deleteMany({ id: ids }, { ifMatch: changed.version });

  expect(changed).toMatchObject({ matched: 2, changed: 2 });
  expect(again).toEqual({ matched: 2, changed: 0, version: changed.version });
  expect(deleted).toMatchObject({ matched: 2, deleted: 2 });
  expect((await client.tasks.list()).map(({ title }) => title)).toEqual(["three"]);
});

test("a change of many fails if anything has changed since the version that was read", async () => {
  const { client } = await signUp();
  await client.tasks.create({ title: "Water the plants" });
  const { version } = await client.tasks.changeMany({ status: "pending" }, { priority: "high" });
  await client.tasks.create({ title: "Buy soil" });

  const deletion = client.tasks.deleteMany({ status: "pending" }, { ifMatch: version });

  await expect(deletion).rejects.toMatchObject({ code: "version-mismatch" });
  expect(await client.tasks.list()).toHaveLength(2);
});

test("without a filter nothing is deleted", async () => {
  const { client } = await signUp();
  const task = await client.tasks.create({ title: "Water the plants" });

  const deletion = client.tasks.deleteMany({});

  await expect(deletion).rejects.toMatchObject({ code: "filter-required" });
  expect(await client.tasks.list()).toEqual([task]);
});

test("subtasks are listed by their parent, and deleted with it if that is asked for", async () => {
  const { client } = await signUp();
  const parent = await client.tasks.create({ title: "Repot the fern" });
  const subtask = await client.tasks.create({ title: "Buy soil", parent_id: parent.id });

  expect(await client.tasks.list({ parent_id: parent.id })).toEqual([subtask]);
  expect(await client.tasks.list({ parent_id: "none" })).toEqual([parent]);
  await client.tasks.delete(parent, { subtasks: "delete" });

  expect(await client.tasks.list()).toEqual([]);
});
