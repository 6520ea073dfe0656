import { expect, test } from "vitest";
import { ConflictError, ProblemError } from "../src/index.js";
import { signUp } from "./support.js";

test("a change of what somebody else has changed shows both versions", async () => {
  const { client } = await signUp();
  const base = await client.tasks.create({ title: "Water the plants" });
  const theirs = await client.tasks.change(base, { title: "Water the cactus" });

  const fields = { title: "Water the roses" };
  const error: unknown = await client.tasks.change(base, fields).catch((reason: unknown) => reason);

  expect(error).toBeInstanceOf(ConflictError);
  expect(error).toBeInstanceOf(ProblemError);
  expect(error).toMatchObject({ status: 412, code: "version-mismatch", base, theirs });
  expect((error as ConflictError).mine).toEqual(fields);
  expect(await client.tasks.get(base.id)).toEqual(theirs);
});

test("a deletion of what somebody else has changed shows theirs", async () => {
  const { client } = await signUp();
  const base = await client.lists.create({ name: "Garden" });
  const theirs = await client.lists.change(base, { name: "Balcony" });

  await expect(client.lists.delete(base)).rejects.toMatchObject({ base, mine: null, theirs });

  expect(await client.lists.list()).toEqual([theirs]);
});

test("a change by id does not look at versions", async () => {
  const { client } = await signUp();
  const base = await client.tasks.create({ title: "Water the plants" });
  await client.tasks.change(base, { title: "Water the cactus" });

  const changed = await client.tasks.change(base.id, { priority: "high" });

  expect(changed).toMatchObject({ title: "Water the cactus", priority: "high" });
});

test("a change of what somebody else has deleted says that it is missing", async () => {
  const { client } = await signUp();
  const base = await client.tasks.create({ title: "Water the plants" });
  await client.tasks.delete(base);

  const change = client.tasks.change(base, { title: "Water the cactus" });

  await expect(change).rejects.toMatchObject({ status: 404, code: "task-not-found" });
});
