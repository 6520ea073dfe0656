import { afterEach, expect, test, vi } from "vitest";

import { Scheduler } from "../src/sync/scheduler.js";

afterEach(() => {
  vi.useRealTimers();
});

test("a clock that is set back does not stop the sync", async () => {
  vi.useFakeTimers({ now: new Date("2026-11-30T12:00:00Z") });
  let runs = 0;
  const scheduler = new Scheduler(
    () => {
      runs += 1;
      return Promise.resolve({ outcome: "failed" });
    },
    () => true,
  );
  await scheduler.syncNow(true);

  vi.setSystemTime(new Date("2026-11-30T11:00:00Z"));
  await vi.advanceTimersByTimeAsync(60_000);
  scheduler.stop();

  expect(runs).toBeGreaterThan(2);
});
