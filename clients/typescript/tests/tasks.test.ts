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
