import { describe, expect, it } from "vitest";
import { dayFrom, describeDue, dueDay, makeDue } from "../src/tasks/due.ts";

// A Monday; the zone of the tests is set by `vitest.config.ts`.
const NOW = new Date("2026-11-30T10:00:00+01:00");

function allDay(date: string) {
  return { date, time: null, time_zone: null, at: null };
}

describe("a due date in words", () => {
  it.each([
    ["2026-11-30", "Today"],
    ["2026-12-01", "Tomorrow"],
    ["2026-11-29", "Yesterday"],
    ["2026-12-03", "Thursday"],
  ])("%s is %s", (date, words) => {
    expect(describeDue(allDay(date), NOW)).toBe(words);
  });

  it("names the year only when it is another one", () => {
    expect(describeDue(allDay("2026-12-24"), NOW)).not.toContain("2026");
    expect(describeDue(allDay("2027-01-24"), NOW)).toContain("2027");
  });

  it("is the day of the instant where the user is", () => {
    const due = {
      date: "2026-11-30",
      time: "20:00",
      time_zone: "America/New_York",
      at: "2026-12-01T01:00:00.000000Z",
    };
    expect(dueDay(due)).toBe("2026-12-01");
    expect(describeDue(due, NOW)).toMatch(/^Tomorrow, 0?2:00/);
  });
});

it("days are counted across the end of a month and a change of the clock", () => {
  expect(dayFrom(NOW, 1)).toBe("2026-12-01");
  expect(dayFrom(new Date("2026-10-24T23:30:00+02:00"), 1)).toBe("2026-10-25");
  expect(dayFrom(new Date("2026-10-25T23:30:00+01:00"), 1)).toBe("2026-10-26");
});

it("a time gets the zone that it had, else the user's", () => {
  expect(makeDue("", "10:00", null)).toBeNull();
  expect(makeDue("2026-11-30", "", "Asia/Tokyo")).toEqual({ date: "2026-11-30" });
  expect(makeDue("2026-11-30", "10:00", "Asia/Tokyo")?.time_zone).toBe("Asia/Tokyo");
  expect(makeDue("2026-11-30", "10:00", null)?.time_zone).toBe("Europe/Berlin");
});
