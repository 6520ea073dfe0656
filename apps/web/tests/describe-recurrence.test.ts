import { describe, expect, it } from "vitest";
import { describeDate, describeRecurrence } from "../src/recurrence/describe.ts";

const END = describeDate("2026-12-31");
const CHRISTMAS = new Date(2000, 11, 24).toLocaleDateString([], { day: "numeric", month: "long" });

describe("a rule in words", () => {
  it.each([
    ["FREQ=DAILY", "Every day"],
    ["FREQ=DAILY;INTERVAL=3", "Every 3 days"],
    ["FREQ=WEEKLY", "Every week"],
    ["FREQ=WEEKLY;BYDAY=MO", "Every week on Monday"],
    ["FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "Every weekday, Monday to Friday"],
    [
      "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;UNTIL=20261231",
      `Every 2 weeks on Monday and Thursday, until ${END}`,
    ],
    ["FREQ=WEEKLY;BYDAY=MO,WE,SU", "Every week on Monday, Wednesday and Sunday"],
    ["FREQ=MONTHLY;BYMONTHDAY=15", "Every month on day 15"],
    ["FREQ=MONTHLY;BYMONTHDAY=-1", "Every month on the last day"],
    ["FREQ=MONTHLY;BYDAY=2TU", "Every month on the second Tuesday"],
    ["FREQ=MONTHLY;INTERVAL=3;BYDAY=-1FR", "Every 3 months on the last Friday"],
    ["FREQ=YEARLY;BYMONTHDAY=24;BYMONTH=12", `Every year on ${CHRISTMAS}`],
    ["FREQ=DAILY;COUNT=5", "Every day, 5 times"],
    ["FREQ=DAILY;COUNT=1", "Every day, for the last time"],
  ])("%s", (rule, words) => {
    expect(describeRecurrence({ rule, from: "due" })).toBe(words);
  });

  it("says when it is counted from completion", () => {
    const describeFrom = (rule: string) => describeRecurrence({ rule, from: "completion" });
    expect(describeFrom("FREQ=DAILY;INTERVAL=3")).toBe("Every 3 days after completion");
    expect(describeFrom("FREQ=WEEKLY;BYDAY=MO;COUNT=2")).toBe(
      "Every week on Monday, counted from completion, 2 times",
    );
  });

  it("is the rule itself where words would not be exact", () => {
    const rule = "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1";
    expect(describeRecurrence({ rule, from: "due" })).toContain(rule);
  });
});
