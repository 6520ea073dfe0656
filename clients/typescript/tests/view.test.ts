import { expect, test } from "vitest";

import type { Task } from "../src/index.js";
import { LocalCopy } from "../src/sync/copy.js";
import { dayIn, instantOf, isOverdue } from "../src/sync/due.js";
import { areEqual, foldCase, normalizeFields } from "../src/sync/fields.js";
import { newId } from "../src/sync/ids.js";
import type { Edit, Entry, Key } from "../src/sync/pending.js";
import { positionBetween } from "../src/sync/position.js";
import type { TaskFilter } from "../src/sync/types.js";
import { KEY, change, continueWith, serverTask } from "./fixtures.js";

const AT = "2026-11-21T09:00:00.000000Z";

/** A loaded copy with this many tasks in one list, in order of creation. */
function copyOf(count: number): LocalCopy {
  const entries = new Map<Key, Entry>();
  for (let index = 0; index < count; index += 1) {
    const id = `0198f3a2-0000-7000-8000-${String(index).padStart(12, "0")}`;
    const position = String(1_000_000 + index * 10).padStart(20, "0");
    const title = `Task ${String((index * 7919) % count)}`;
    const labels = index % 10 === 0 ? ["green"] : [];
    const item = serverTask({ id, position, title, labels, is_completed: index % 2 === 0 });
    entries.set(`task:${id}`, { item, pending: undefined });
  }
  const copy = new LocalCopy();
  copy.store(entries);
  return copy;
}

function queue(copy: LocalCopy, key: Key, edit: Edit): void {
  copy.queue(new Map([[key, edit]]));
}

function idAt(index: number): string {
  return `0198f3a2-0000-7000-8000-${String(index).padStart(12, "0")}`;
}

test("tasks are found by list, state, label and text, in any order", () => {
  const copy = copyOf(20);

  expect(copy.findTasks({ listId: null })).toHaveLength(20);
  expect(copy.findTasks({ listId: "other" })).toHaveLength(0);
  expect(copy.findTasks({ status: "completed" })).toHaveLength(10);
  expect(copy.findTasks({ label: "GREEN" })).toHaveLength(2);
  expect(copy.findTasks({ search: "task 19" }).map(({ title }) => title)).toEqual(["Task 19"]);
  expect(copy.findTasks({ sort: "-position" }).at(-1)?.id).toBe(idAt(0));
  expect(copy.findTasks({ sort: "title" })[0]?.title).toBe("Task 0");
});

test("tasks without a due date or priority come last in both directions", () => {
  const copy = copyOf(3);
  const due = { date: "2026-12-01", time: null, time_zone: null };
  const edit = { type: "change", fields: { due, priority: "low" }, seen: {} } as const;
  queue(copy, `task:${idAt(1)}`, { ...edit, at: AT, order: 1 });

  for (const sort of ["due", "-due", "priority", "-priority"] as const) {
    expect(copy.findTasks({ sort })[0]?.id).toBe(idAt(1));
  }
});

test("an answer stays the same array until one of its tasks changes", () => {
  const copy = copyOf(10);
  const completed = copy.findTasks({ status: "completed" });
  const open = copy.findTasks({ status: "pending" });

  const edit = { type: "change", fields: { title: "New" }, seen: {}, at: AT, order: 1 } as const;
  queue(copy, `task:${idAt(0)}`, edit);

  expect(copy.findTasks({ status: "pending" })).toBe(open);
  expect(copy.findTasks({ status: "completed" })).not.toBe(completed);
  expect(copy.findTasks({ status: "completed" })[0]?.title).toBe("New");
});

test("answers that are updated equal answers that are made anew", () => {
  const copy = copyOf(50);
  const filters = [
    { sort: "title" },
    { status: "pending", sort: "-title" },
    { label: "green" },
    { search: "1" },
  ] as const;
  filters.forEach((filter) => copy.findTasks(filter));

  for (let index = 0; index < 50; index += 3) {
    const fields = { title: `Title ${String(index % 7)}`, is_completed: index % 4 === 0 };
    const edit = { type: "change", fields, seen: {}, at: AT, order: index } as const;
    queue(copy, `task:${idAt(index)}`, edit);
    const anew = new LocalCopy();
    anew.store(new Map(Array.from({ length: 50 }, (_, each) => entryOf(copy, each))));
    filters.forEach((filter) => {
      expect(copy.findTasks(filter)).toEqual(anew.findTasks(filter));
    });
  }
});

function entryOf(copy: LocalCopy, index: number): [Key, Entry] {
  const key: Key = `task:${idAt(index)}`;
  return [key, copy.entry(key)];
}

test("an edit among 10,000 tasks is shown within a frame", () => {
  const copy = copyOf(10_000);
  const filters = [{}, { listId: null, status: "pending" }, { sort: "title" }] as const;
  filters.forEach((filter) => copy.findTasks(filter));
  const milliseconds: number[] = [];

  for (let index = 0; index < 50; index += 1) {
    const startedAt = performance.now();
    const fields = { title: `Edited ${String(index)}`, is_completed: index % 3 === 0 };
    const edit = { type: "change", fields, seen: {}, at: AT, order: index } as const;
    queue(copy, `task:${idAt(index * 100)}`, edit);
    filters.forEach((filter) => copy.findTasks(filter));
    milliseconds.push(performance.now() - startedAt);
  }

  const median = milliseconds.sort((left, right) => left - right)[25] ?? 0;
  console.log(`an edit among 10,000 tasks: ${median.toFixed(2)} ms (median)`);
  expect(median).toBeLessThan(16);
});

test("a deleted list and a renamed label show on tasks at once", () => {
  const copy = new LocalCopy();
  const times = { user_id: "", version: 1, created_at: AT, updated_at: AT };
  const list = { id: "list", name: "Home", position: "0", ...times };
  const label = { id: "label", name: "green", ...times };
  const task = serverTask({ list_id: "list", labels: ["Green"] });
  copy.store(
    new Map<Key, Entry>([
      [KEY, { item: task, pending: undefined }],
      ["list:list", { item: list, pending: undefined }],
      ["label:label", { item: label, pending: undefined }],
    ]),
  );

  queue(copy, "list:list", { type: "delete", tasks: "keep", at: AT, order: 1 });
  queue(copy, "label:label", {
    type: "change",
    fields: { name: "blue" },
    seen: {},
    at: AT,
    order: 2,
  });

  expect(copy.findTasks({ listId: null })).toMatchObject([{ labels: ["blue"], list_id: null }]);
  expect(copy.labels).toMatchObject([{ name: "blue", task_count: 1 }]);
  expect(copy.lists).toEqual([]);
});

test("texts are compared as the server stores them", () => {
  expect(normalizeFields({ title: "  Caf\u0065\u0301 \u0085" })).toEqual({ title: "Caf\u00e9" });
  expect(normalizeFields({ status: "completed" })).toEqual({ is_completed: true });
  expect(normalizeFields({ labels: ["b", "A ", "B"] })).toEqual({ labels: ["A", "b"] });
  expect(foldCase("STRASSE")).toBe(foldCase("Straße"));
  expect(areEqual("labels", ["a", "B"], ["b", "A"])).toBe(true);
  const due = { date: "2026-12-01", time: null, time_zone: null, at: null };
  expect(areEqual("due", due, { date: "2026-12-01" })).toBe(true);
});

test.each([
  ["00000000000000000010", "00000000000000000011"],
  ["00000000000000000010", "00000000000000000010.1"],
  ["00000000000000000010.01", "00000000000000000010.02"],
  [null, "00000000000000000001"],
  ["00000000000000000010", null],
])("a position between %s and %s sorts between them", (before, after) => {
  const between = positionBetween(before, after);

  expect(between).toMatch(/^[0-9]{20}(\.[0-9]*[1-9])?$/);
  expect(before === null || before < between).toBe(true);
  expect(after === null || between < after).toBe(true);
});

test("an all-day task is overdue after its day in the zone of the user", () => {
  const due = { date: "2026-11-21", time: null, time_zone: null, at: null };
  const task = serverTask({ due });
  const evening = new Date("2026-11-22T01:00:00Z");

  expect(isOverdue(task, evening, "America/New_York")).toBe(false);
  expect(isOverdue(task, evening, "Europe/Berlin")).toBe(true);
  expect(isOverdue({ ...task, is_completed: true }, evening, "Europe/Berlin")).toBe(false);
  expect(dayIn("Asia/Tokyo", new Date("2026-11-21T15:00:00Z"))).toBe("2026-11-22");
});

test.each([
  ["2026-11-21", "08:30", "Europe/Berlin", "2026-11-21T07:30:00.000000Z"],
  ["2026-07-01", "00:15", "America/New_York", "2026-07-01T04:15:00.000000Z"],
  // Clocks show this time twice: the server takes the first one.
  ["2026-10-25", "02:30", "Europe/Berlin", "2026-10-25T00:30:00.000000Z"],
])("%s %s in %s is the instant %s", (date, time, zone, instant) => {
  expect(instantOf(date, time, zone)).toBe(instant);
});

test("an unknown time zone has no instant", () => {
  expect(instantOf("2026-11-21", "08:30", "Nowhere/City")).toBeNull();
});

test("ids are UUIDs of version 7 that sort by time", () => {
  const first = newId(1_000_000_000_000);
  const second = newId(1_000_000_000_001);

  expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(first < second).toBe(true);
});

test("an edit in storage does not show an older state while a newer edit waits", () => {
  const copy = new LocalCopy();
  copy.store(new Map([[KEY, { item: serverTask(), pending: undefined }]]));
  const first = { ...change({ title: "One" }), at: AT, order: 1 };
  const second = { ...change({ title: "Two" }), at: AT, order: 2 };
  queue(copy, KEY, first);
  queue(copy, KEY, second);

  const stored = continueWith({ item: serverTask(), pending: undefined }, change({ title: "One" }));
  copy.store(new Map([[KEY, stored]]), new Map([[KEY, first]]));

  expect(copy.findTasks({})[0]?.title).toBe("Two");
});

/** A copy with a parent in a list, two subtasks of it and another task. */
function copyWithSubtasks(): LocalCopy {
  const copy = new LocalCopy();
  const parent = serverTask({ id: "parent", list_id: "list", position: "1" });
  const subtasks = ["one", "two"].map((id, index) =>
    serverTask({ id, parent_id: "parent", list_id: "list", position: String(index + 2) }),
  );
  const other = serverTask({ id: "other", position: "9" });
  const items = [parent, ...subtasks, other];
  copy.store(
    new Map(items.map((item) => [`task:${item.id}` as Key, { item, pending: undefined }])),
  );
  return copy;
}

function idsOf(copy: LocalCopy, filter: TaskFilter): string[] {
  return copy.findTasks(filter).map(({ id }) => id);
}

test("subtasks are found by their parent, and tasks without one", () => {
  const copy = copyWithSubtasks();

  expect(idsOf(copy, { parentId: "parent" })).toEqual(["one", "two"]);
  expect(idsOf(copy, { parentId: null })).toEqual(["parent", "other"]);
  expect(idsOf(copy, { listId: "list" })).toEqual(["parent", "one", "two"]);
  expect(idsOf(copy, { parentId: "other" })).toEqual([]);
});

test("subtasks are shown in the list to which their parent is moved", () => {
  const copy = copyWithSubtasks();

  queue(copy, "task:parent", { ...change({ list_id: "other list" }), at: AT, order: 1 });

  expect(idsOf(copy, { listId: "other list" })).toEqual(["parent", "one", "two"]);
});

test("subtasks of a deleted task are ordinary tasks, until it is there again", () => {
  const copy = copyWithSubtasks();
  idsOf(copy, { parentId: "parent" });

  queue(copy, "task:parent", { type: "delete", tasks: "keep", at: AT, order: 1 });
  const whileDeleted = idsOf(copy, { parentId: null });
  const fields = { title: "Water the plants", list_id: "list" };
  queue(copy, "task:parent", { type: "restore", fields, position: "1", at: AT, order: 2 });

  expect(whileDeleted).toEqual(["one", "two", "other"]);
  expect(idsOf(copy, { parentId: "parent" })).toEqual(["one", "two"]);
});

test("a subtask that arrives before its parent is shown meanwhile", () => {
  const copy = new LocalCopy();
  const item = serverTask({ id: "one", parent_id: "parent" });
  copy.store(new Map<Key, Entry>([["task:one", { item, pending: undefined }]]));
  const before = idsOf(copy, { parentId: null });

  const parent = serverTask({ id: "parent" });
  copy.store(new Map<Key, Entry>([["task:parent", { item: parent, pending: undefined }]]));

  expect(before).toEqual(["one"]);
  expect(idsOf(copy, { parentId: "parent" })).toEqual(["one"]);
});

test("the answer for one parent stays the same while others get subtasks", () => {
  const copy = copyWithSubtasks();
  const subtasks = copy.findTasks({ parentId: "parent" });

  queue(copy, "task:other", { ...change({ title: "New" }), at: AT, order: 1 });

  expect(copy.findTasks({ parentId: "parent" })).toBe(subtasks);
});

test("what an earlier version of the package has stored shows the fields that came later", () => {
  const { recurrence, previous_id, parent_id, ...stored } = serverTask();
  const copy = new LocalCopy();
  copy.store(new Map([[KEY, { item: stored as Task, pending: undefined }]]));

  const [task] = copy.findTasks({ parentId: null });

  expect(task).toMatchObject({ recurrence, previous_id, parent_id });
});
