import { afterEach, beforeEach, expect, test } from "vitest";

import { Device } from "./devices.js";
import { type SignedInUser, signUp } from "./support.js";

const DUE = { date: "2026-12-07", time: null, time_zone: null };
const WEEKLY = { rule: "freq=weekly;byday=mo", from: "due" } as const;

let user: SignedInUser;
let devices: Device[];

beforeEach(async () => {
  user = await signUp();
  devices = [];
});

afterEach(() => {
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

/** Two devices that have one task that repeats. */
async function shareTask(): Promise<[Device, Device, string]> {
  const first = await openDevice();
  const { id } = first.store.createTask({ title: "Water", due: DUE, recurrence: WEEKLY });
  await first.store.sync();
  return [first, await openDevice(), id];
}

function states({ store }: Device): [string, boolean][] {
  return store.getTasks({ sort: "due" }).map((task) => [task.due?.date ?? "", task.is_completed]);
}

test("a rule is shown as the server spells it", async () => {
  const [first, second, id] = await shareTask();

  const rule = { rule: "FREQ=WEEKLY;BYDAY=MO", from: "due" };
  expect(first.store.getTask(id)?.recurrence).toEqual(rule);
  expect((await user.client.tasks.get(id)).recurrence).toEqual(rule);
  expect(second.store.getTask(id)?.recurrence).toEqual(rule);
});

test("a completed task is followed by the next one as soon as the server has it", async () => {
  const [{ store, requests }, , id] = await shareTask();
  requests.length = 0;

  store.changeTask(id, { is_completed: true });
  expect(store.getTasks()).toHaveLength(1);
  await expect.poll(() => store.getTasks().length, { timeout: 3000 }).toBe(2);

  expect(store.getTasks({ status: "pending" })).toMatchObject([
    { previous_id: id, due: { date: "2026-12-14" }, isPending: false },
  ]);
  expect(requests).toEqual([`PATCH /tasks/${id}`, "GET /tasks/changes"]);
});

test("two devices that complete the same occurrence offline leave one successor", async () => {
  const [first, second, id] = await shareTask();
  for (const device of devices) {
    device.goOffline();
    device.store.changeTask(id, { is_completed: true });
  }

  for (const device of [...devices, ...devices]) {
    device.goOnline();
    await device.store.sync();
  }

  for (const device of [first, second]) {
    expect(states(device)).toEqual([
      ["2026-12-07", true],
      ["2026-12-14", false],
    ]);
    expect(device.store.getStatus()).toMatchObject({ state: "saved", pending: 0 });
    expect(device.store.getConflicts()).toEqual([]);
  }
});

test("a task that is open again takes its untouched successor back", async () => {
  const [first, second, id] = await shareTask();
  const undo = first.store.changeTasks({ status: "pending" }, { is_completed: true });
  await first.store.sync();
  expect(states(first)).toHaveLength(2);

  undo();
  await first.store.sync();
  await second.store.sync();

  for (const device of devices) {
    expect(device.store.getTasks()).toMatchObject([{ id, is_completed: false }]);
  }
});

test("another rule on two devices is a conflict of the recurrence as a whole", async () => {
  const [first, second, id] = await shareTask();
  first.store.changeTask(id, { recurrence: { rule: "FREQ=DAILY" } });
  await first.store.sync();
  second.store.changeTask(id, { recurrence: null, title: "Water the fern" });
  await second.store.sync();

  const [conflict] = second.store.getConflicts();
  expect(conflict).toMatchObject({
    field: "recurrence",
    base: { rule: "FREQ=WEEKLY;BYDAY=MO", from: "due" },
    mine: null,
    theirs: { rule: "FREQ=DAILY", from: "due" },
  });
  if (conflict) second.store.resolveConflict(conflict, "mine");
  await second.store.sync();
  expect(await user.client.tasks.get(id)).toMatchObject({
    title: "Water the fern",
    recurrence: null,
  });
});

test.each(["FREQ=HOURLY", "FREQ=DAILY;UNTIL=20200101"])(
  "the refused rule %s is undone",
  async (rule) => {
    const [{ store }, , id] = await shareTask();

    store.changeTask(id, { recurrence: { rule }, priority: "high" });
    await store.sync();

    expect(store.getStatus().problem?.status).toBe(422);
    expect(store.getTask(id)).toMatchObject({
      recurrence: { rule: "FREQ=WEEKLY;BYDAY=MO" },
      priority: "high",
      isPending: false,
    });
  },
);
