import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { nextDates } from "../src/recurrence/next-dates.ts";
import { readRepeat } from "../src/recurrence/repeat.ts";

/** A file with what python-dateutil computes, by which the server does; see `e2e/client`. */
const OCCURRENCES = process.env.OCCURRENCES;

interface Case {
  rule: string;
  from: "due" | "completion";
  due: string;
  today: string;
  dates: string[];
}

function compute({ rule, from, due, today }: Omit<Case, "dates">) {
  const repeat = readRepeat(rule);
  if (repeat === null) throw new Error(`The picker cannot express ${rule}`);
  return nextDates(repeat, from, due, today, 3);
}

describe("the next dates", () => {
  it("leave out days that do not exist", () => {
    const rule = "FREQ=MONTHLY;BYMONTHDAY=31";
    const dates = compute({ rule, from: "due", due: "2027-01-31", today: "2027-01-31" });
    expect(dates).toEqual(["2027-03-31", "2027-05-31", "2027-07-31"]);
  });

  it("of a task that is late are in the future", () => {
    const due = { rule: "FREQ=WEEKLY;BYDAY=MO", due: "2026-11-02", today: "2026-11-30" };
    expect(compute({ ...due, from: "due" })[0]).toBe("2026-12-07");
  });

  it("from completion count from today", () => {
    const late = { rule: "FREQ=DAILY;INTERVAL=10", due: "2026-11-02", today: "2026-11-30" };
    expect(compute({ ...late, from: "completion" })[0]).toBe("2026-12-10");
    expect(compute({ ...late, from: "due" })[0]).toBe("2026-12-02");
  });

  it.each([
    ["FREQ=DAILY;COUNT=1", []],
    ["FREQ=DAILY;COUNT=3", ["2026-12-01", "2026-12-02"]],
    ["FREQ=DAILY;UNTIL=20261201", ["2026-12-01"]],
    ["FREQ=YEARLY;INTERVAL=999", []],
  ])("end with %s", (rule, dates) => {
    const day = { due: "2026-11-30", today: "2026-11-30" };
    expect(compute({ rule, from: "due", ...day })).toEqual(dates);
  });

  it.runIf(OCCURRENCES !== undefined)("are those of python-dateutil", () => {
    const cases = JSON.parse(readFileSync(OCCURRENCES ?? "", "utf-8")) as Case[];
    expect(cases.length).toBeGreaterThan(1000);
    for (const { dates, ...task } of cases) {
      expect(compute(task), JSON.stringify(task)).toEqual(dates);
    }
  });
});
