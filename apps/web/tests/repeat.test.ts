import { describe, expect, it } from "vitest";
import {
  daysChoices,
  moveRecurrence,
  presetOf,
  repeatOf,
  usualDays,
} from "../src/recurrence/choices.ts";
import { readRepeat, writeRule } from "../src/recurrence/repeat.ts";

// A Monday, the last one of its month.
const DUE = "2026-11-30";

describe("a rule of the picker", () => {
  it.each([
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=999;COUNT=999",
    "FREQ=WEEKLY;INTERVAL=2",
    "FREQ=WEEKLY;BYDAY=MO,TH;UNTIL=20261231",
    "FREQ=MONTHLY;BYMONTHDAY=-1",
    "FREQ=MONTHLY;INTERVAL=2;BYDAY=5SU",
    "FREQ=MONTHLY;BYDAY=-1FR;COUNT=1",
    "FREQ=YEARLY;BYMONTHDAY=29;BYMONTH=2",
  ])("%s is written as it was read", (rule) => {
    const repeat = readRepeat(rule);
    expect(repeat).not.toBeNull();
    if (repeat !== null) expect(writeRule(repeat)).toBe(rule);
  });
});

describe("a rule that the picker would change", () => {
  it.each([
    "FREQ=DAILY;BYDAY=MO",
    "FREQ=DAILY;BYMONTH=2",
    "FREQ=WEEKLY;BYDAY=MO;WKST=SU",
    "FREQ=WEEKLY;BYDAY=MO;BYMONTH=6",
    "FREQ=MONTHLY;BYDAY=MO",
    "FREQ=MONTHLY;BYDAY=-2MO",
    "FREQ=MONTHLY;BYDAY=1MO,3MO",
    "FREQ=MONTHLY;BYMONTHDAY=1,15",
    "FREQ=MONTHLY;BYMONTHDAY=-2",
    "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
    "FREQ=MONTHLY;BYMONTHDAY=1;BYMONTH=6",
    "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1",
    "FREQ=YEARLY;BYDAY=1MO;BYMONTH=9",
    "FREQ=YEARLY;BYMONTH=9",
    "FREQ=YEARLY;BYMONTHDAY=1",
    "FREQ=YEARLY;BYMONTHDAY=-1;BYMONTH=2",
    "FREQ=YEARLY;BYMONTHDAY=1;BYMONTH=3,9",
  ])("%s is left alone", (rule) => {
    expect(readRepeat(rule)).toBeNull();
    expect(presetOf(rule)).toBe("other");
  });
});

it.each([
  ["daily", "FREQ=DAILY"],
  ["weekdays", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"],
  ["weekly", "FREQ=WEEKLY;BYDAY=MO"],
  ["monthly", "FREQ=MONTHLY;BYMONTHDAY=30"],
  ["yearly", "FREQ=YEARLY;BYMONTHDAY=30;BYMONTH=11"],
  ["custom", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO"],
] as const)("%s, for a task that is due on 30 November, is %s", (preset, rule) => {
  expect(writeRule(repeatOf(preset, DUE, null))).toBe(rule);
  expect(presetOf(rule)).toBe(preset);
});

it("another preset keeps the end", () => {
  const current = readRepeat("FREQ=DAILY;COUNT=4");
  expect(writeRule(repeatOf("weekly", DUE, current))).toBe("FREQ=WEEKLY;BYDAY=MO;COUNT=4");
});

it.each([
  ["FREQ=WEEKLY;BYDAY=MO;COUNT=3", "FREQ=WEEKLY;BYDAY=WE;COUNT=3"],
  ["FREQ=MONTHLY;BYMONTHDAY=30", "FREQ=MONTHLY;BYMONTHDAY=2"],
  ["FREQ=DAILY", "FREQ=DAILY"],
  ["FREQ=WEEKLY;BYDAY=MO,TH", "FREQ=WEEKLY;BYDAY=MO,TH"],
  ["FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=MONTHLY;BYMONTHDAY=-1"],
  ["FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1", "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1"],
])("with the due date, %s moves to %s", (rule, moved) => {
  expect(moveRecurrence({ rule, from: "due" }, DUE, "2026-12-02").rule).toBe(moved);
});

describe("the days of a month to choose from", () => {
  function labels(rule: string, from: "due" | "completion", due: string) {
    const repeat = readRepeat(rule);
    return repeat === null ? [] : daysChoices(repeat, from, due).map(({ label }) => label);
  }

  it("fit the due date", () => {
    expect(labels("FREQ=MONTHLY;BYMONTHDAY=30", "due", DUE)).toEqual([
      "On day 30",
      "On the last Monday",
      "On the last day",
    ]);
    expect(labels("FREQ=MONTHLY;BYMONTHDAY=22", "due", "2026-11-22")).toEqual([
      "On day 22",
      "On the fourth Sunday",
      "On the last day",
    ]);
  });

  it("include the present ones, and the day of completion where that counts", () => {
    expect(labels("FREQ=MONTHLY;BYDAY=2TU", "due", DUE)[0]).toBe("On the second Tuesday");
    expect(labels("FREQ=MONTHLY", "completion", DUE)[0]).toBe("On the day of completion");
    expect(labels("FREQ=YEARLY", "completion", DUE)).toHaveLength(2);
  });
});

it("the weekday of a date is that of the calendar, wherever the user is", () => {
  expect(usualDays("WEEKLY", "2028-02-29")).toEqual({ kind: "weekdays", days: ["TU"] });
});
