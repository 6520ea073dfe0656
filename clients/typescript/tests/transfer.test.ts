import { expect, test } from "vitest";
import { NetworkError, type ExportRecord } from "../src/index.js";
import { FaultProxy } from "./fault-proxy.js";
import { signUp, type SignedInUser } from "./support.js";

/** Create a user with two lists and some tasks in them. */
async function signUpWithTasks(count: number, url?: string): Promise<SignedInUser> {
  const user = await signUp(url === undefined ? {} : { url });
  const garden = await user.client.lists.create({ name: "Garden" });
  for (let number = 1; number <= count; number += 1) {
    const title = `Task ${String(number)}: Bäume gießen`;
    await user.client.tasks.create({ title, list_id: garden.id, labels: ["plants"] });
  }
  return user;
}

async function recordsOf({ client }: SignedInUser): Promise<ExportRecord[]> {
  const records: ExportRecord[] = [];
  for await (const record of client.users.exportMe()) records.push(record);
  return records;
}

test("an export comes record by record, with progress", async () => {
  const { client } = await signUpWithTasks(3);
  const progress: number[] = [];
  const kinds: string[] = [];

  const onProgress = ({ records }: { records: number }) => progress.push(records);
  for await (const record of client.users.exportMe({ onProgress })) kinds.push(record.kind);

  expect(kinds).toEqual(["export", "list", "label", "task", "task", "task"]);
  expect(progress).toEqual([1, 2, 3, 4, 5, 6]);
});

test.each<[string, (file: Blob) => Blob | string | ReadableStream | Promise<string>]>([
  ["a file", (file) => file],
  ["text", (file) => file.text()],
  ["a stream", (file) => file.stream()],
])("an export is imported from %s", async (_name, sourceOf) => {
  const ada = await signUpWithTasks(3);
  const file = await ada.client.users.exportMe().blob();
  const grace = await signUp();

  const report = await grace.client.users.importMe(await sourceOf(file));

  expect(report).toMatchObject({ created: 5, updated: 0 });
  const titles = (await grace.client.tasks.list()).map((task) => task.title);
  expect(titles).toEqual((await ada.client.tasks.list()).map((task) => task.title));
});

test("an import of records in parts keeps lists and labels, and reports as one", async () => {
  const ada = await signUpWithTasks(5);
  const records = await recordsOf(ada);
  await ada.client.users.eraseMe();
  const progress: number[] = [];

  const report = await ada.client.users.importMe(records, {
    partBytes: 1500,
    onProgress: (done) => progress.push(done.records),
  });

  expect(progress.length).toBeGreaterThan(1);
  expect(progress.at(-1)).toBe(records.length);
  expect(report).toEqual({ created: 7, updated: 0, unchanged: 0, renumbered: 0 });
  const [garden] = await ada.client.lists.list();
  const tasks = await ada.client.tasks.list();
  expect(tasks).toHaveLength(5);
  expect(new Set(tasks.map((task) => task.list_id))).toEqual(new Set([garden?.id]));
});

test("a faulty line is refused, and nothing of its part is imported", async () => {
  const ada = await signUpWithTasks(1);
  const text = await (await ada.client.users.exportMe().blob()).text();
  const grace = await signUp();

  const call = grace.client.users.importMe(`${text}{"kind": "task", "title": ""}\n`);

  await expect(call).rejects.toMatchObject({ name: "ProblemError" });
  expect(await grace.client.tasks.list()).toEqual([]);
});

test("an export that is cut off does not look complete", async () => {
  await using proxy = await FaultProxy.start();
  const { client } = await signUpWithTasks(3, proxy.url);
  proxy.decide = ({ path }) => (path === "/users/me/export" ? "cut-response" : "pass");

  await expect(client.users.exportMe().blob()).rejects.toThrow(NetworkError);
});
