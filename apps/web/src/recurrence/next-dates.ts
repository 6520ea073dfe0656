import { RRule } from "rrule";
import { writeRule, type Repeat } from "./repeat.ts";

/** No task is due later. */
const DATE_MAX = "2200-12-31";

/**
 * The dates of the tasks to come, if each is completed when it is due; the server computes them alike.
 *
 * Only rules of the picker: the library looks for dates of others longer than a page may wait.
 *
 * @param due the day on which the present task is due
 * @param today the day of its completion
 */
export function nextDates(
  repeat: Repeat,
  from: "due" | "completion",
  due: string,
  today: string,
  datesMax: number,
): string[] {
  const { end } = repeat;
  const last = end.kind === "until" && end.date < DATE_MAX ? end.date : DATE_MAX;
  // The task itself is one of those that are counted.
  const count = end.kind === "count" ? Math.min(end.count - 1, datesMax) : datesMax;
  const options = RRule.parseString(writeRule({ ...repeat, end: { kind: "never" } }));
  // The server starts anew from each task's own date; with the rules of the picker that is the same.
  const start = from === "due" ? due : today;
  const rule = new RRule({ ...options, dtstart: toInstant(start), until: toInstant(last) });
  const dates: string[] = [];
  let after = from === "due" && due > today ? due : today;
  while (dates.length < count) {
    const instant = rule.after(toInstant(after));
    if (instant === null) break;
    after = toDate(instant);
    dates.push(after);
  }
  return dates;
}

/** The library knows no dates without a time; in UTC every day is as long as the others. */
function toInstant(date: string): Date {
  return new Date(`${date}T00:00Z`);
}

function toDate(instant: Date): string {
  return instant.toISOString().slice(0, 10);
}
