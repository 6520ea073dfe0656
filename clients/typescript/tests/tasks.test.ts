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
