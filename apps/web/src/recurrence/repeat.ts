/** A day of the week as rules name it. */
export type Weekday = "MO" | "TU" | "WE" | "TH" | "FR" | "SA" | "SU";

export const WEEKDAYS: readonly Weekday[] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

export const WORKING_DAYS: readonly Weekday[] = ["MO", "TU", "WE", "TH", "FR"];

export type Frequency = "DAILY" | "WEEKLY" | "MONTHLY" | "YEARLY";

/** The days of a week, month or year on which a task repeats. */
export type RepeatDays =
  /** The day from which the next date is computed. */
  | { kind: "same" }
  /** Of a week; at least one, from Monday on. */
  | { kind: "weekdays"; days: readonly Weekday[] }
  /** Of a month: 1 to 31, or -1 for the last day. */
  | { kind: "day-of-month"; day: number }
  /** Of a month: the first (1) to fifth (5) or the last (-1) such weekday. */
  | { kind: "nth-weekday"; ordinal: number; weekday: Weekday }
  /** Of a year; `month` is 1 to 12. */
  | { kind: "date"; month: number; day: number };

export type RepeatEnd =
  | { kind: "never" }
  /** The last possible day, as `2026-11-30`. */
  | { kind: "until"; date: string }
  /** How many tasks are still to come, this one included. */
  | { kind: "count"; count: number };

/** A recurrence rule as far as the picker can express it. */
export interface Repeat {
  frequency: Frequency;
  /** Every so many days, weeks, months or years. */
  interval: number;
  days: RepeatDays;
  end: RepeatEnd;
}

export const INTERVAL_MAX = 999;
export const COUNT_MAX = 999;

/** Read a rule in the server's form; null if the picker cannot express it. */
export function readRepeat(rule: string): Repeat | null {
  const parts = new Map<string, string>();
  for (const part of rule.split(";")) {
    const [name = "", value = ""] = part.split("=");
    parts.set(name, value);
  }
  const frequency = take(parts, "FREQ") as Frequency | null;
  const interval = Number(take(parts, "INTERVAL") ?? "1");
  const end = readEnd(take(parts, "COUNT"), take(parts, "UNTIL"));
  const days = frequency === null ? null : readDays(frequency, parts);
  // What is left is a part that means something else.
  if (frequency === null || days === null || parts.size > 0) return null;
  return { frequency, interval, days, end };
}

/** The rule in the server's form, so that what comes back is no change. */
export function writeRule({ frequency, interval, days, end }: Repeat): string {
  const parts = [`FREQ=${frequency}`];
  if (interval !== 1) parts.push(`INTERVAL=${interval.toString()}`);
  switch (days.kind) {
    case "same":
      break;
    case "weekdays":
      parts.push(`BYDAY=${WEEKDAYS.filter((day) => days.days.includes(day)).join(",")}`);
      break;
    case "day-of-month":
      parts.push(`BYMONTHDAY=${days.day.toString()}`);
      break;
    case "nth-weekday":
      parts.push(`BYDAY=${days.ordinal.toString()}${days.weekday}`);
      break;
    case "date":
      parts.push(`BYMONTHDAY=${days.day.toString()}`, `BYMONTH=${days.month.toString()}`);
      break;
  }
  if (end.kind === "count") parts.push(`COUNT=${end.count.toString()}`);
  if (end.kind === "until") parts.push(`UNTIL=${end.date.replaceAll("-", "")}`);
  return parts.join(";");
}

function take(parts: Map<string, string>, name: string): string | null {
  const value = parts.get(name) ?? null;
  parts.delete(name);
  return value;
}

function readEnd(count: string | null, until: string | null): RepeatEnd {
  if (count !== null) return { kind: "count", count: Number(count) };
  if (until === null) return { kind: "never" };
  const date = `${until.slice(0, 4)}-${until.slice(4, 6)}-${until.slice(6, 8)}`;
  return { kind: "until", date };
}

/** Take the parts that name days; null if they are none of those that the picker offers. */
function readDays(frequency: Frequency, parts: Map<string, string>): RepeatDays | null {
  const byDay = take(parts, "BYDAY");
  const byMonthDay = take(parts, "BYMONTHDAY");
  const byMonth = take(parts, "BYMONTH");
  if (byDay === null && byMonthDay === null && byMonth === null) return { kind: "same" };
  switch (frequency) {
    case "DAILY":
      return null;
    case "WEEKLY":
      return byMonthDay === null && byMonth === null ? readWeekdays(byDay) : null;
    case "MONTHLY":
      if (byMonth !== null) return null;
      if (byDay === null) return readDayOfMonth(byMonthDay);
      return byMonthDay === null ? readNthWeekday(byDay) : null;
    case "YEARLY":
      return byDay === null ? readDate(byMonth, byMonthDay) : null;
  }
}

function readWeekdays(byDay: string | null): RepeatDays | null {
  const days = (byDay ?? "").split(",");
  return days.every(isWeekday) ? { kind: "weekdays", days } : null;
}

function readDayOfMonth(byMonthDay: string | null): RepeatDays | null {
  const day = Number(byMonthDay);
  return day === -1 || day >= 1 ? { kind: "day-of-month", day } : null;
}

function readNthWeekday(byDay: string): RepeatDays | null {
  const weekday = byDay.slice(-2);
  const ordinal = Number(byDay.slice(0, -2));
  if (!isWeekday(weekday) || !(ordinal === -1 || ordinal >= 1)) return null;
  return { kind: "nth-weekday", ordinal, weekday };
}

function readDate(byMonth: string | null, byMonthDay: string | null): RepeatDays | null {
  const month = Number(byMonth);
  const day = Number(byMonthDay);
  return month >= 1 && day >= 1 ? { kind: "date", month, day } : null;
}

function isWeekday(text: string): text is Weekday {
  return (WEEKDAYS as readonly string[]).includes(text);
}
