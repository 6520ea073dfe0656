import type { Task } from "@task-platform/client";
import {
  readRepeat,
  WORKING_DAYS,
  type Repeat,
  type RepeatDays,
  type RepeatEnd,
  type Weekday,
} from "./repeat.ts";

export type Recurrence = NonNullable<Task["recurrence"]>;

export const WEEKDAY_NAMES: Readonly<Record<Weekday, string>> = {
  MO: "Monday",
  TU: "Tuesday",
  WE: "Wednesday",
  TH: "Thursday",
  FR: "Friday",
  SA: "Saturday",
  SU: "Sunday",
};

const UNITS = { DAILY: "day", WEEKLY: "week", MONTHLY: "month", YEARLY: "year" } as const;

const ORDINALS = ["first", "second", "third", "fourth", "fifth"] as const;

const AND = new Intl.ListFormat("en-GB", { type: "conjunction" });

/** Say a recurrence in words: "Every 2 weeks on Monday and Thursday, until 31 December 2026". */
export function describeRecurrence(recurrence: Recurrence): string {
  const repeat = readRepeat(recurrence.rule);
  // Another client has made it; its text is right, words for every possible rule would not be.
  if (repeat === null) return `By the rule ${recurrence.rule}`;
  return describeRepeat(repeat, recurrence.from);
}

export function describeRepeat(repeat: Repeat, from: Recurrence["from"]): string {
  const { days, end } = repeat;
  const isAfterCompletion = from === "completion" && days.kind === "same";
  let words = describeInterval(repeat);
  if (isAfterCompletion) words += " after completion";
  else if (days.kind !== "same" && !isEveryWeekday(repeat)) words += ` ${describeDays(days)}`;
  if (from === "completion" && !isAfterCompletion) words += ", counted from completion";
  return words + describeEnd(end);
}

/** The days of a rule after "Every month": "on the last day". */
export function describeDays(days: RepeatDays): string {
  switch (days.kind) {
    case "same":
      return "on the same day";
    case "weekdays":
      return `on ${AND.format(days.days.map((day) => WEEKDAY_NAMES[day]))}`;
    case "day-of-month":
      return days.day === -1 ? "on the last day" : `on day ${days.day.toString()}`;
    case "nth-weekday": {
      const ordinal = days.ordinal === -1 ? "last" : (ORDINALS[days.ordinal - 1] ?? "");
      return `on the ${ordinal} ${WEEKDAY_NAMES[days.weekday]}`;
    }
    case "date": {
      // A leap year, so that there is a 29 February.
      const date = new Date(2000, days.month - 1, days.day);
      return `on ${date.toLocaleDateString([], { day: "numeric", month: "long" })}`;
    }
  }
}

function describeInterval(repeat: Repeat): string {
  if (isEveryWeekday(repeat)) return "Every weekday, Monday to Friday";
  const unit = UNITS[repeat.frequency];
  return repeat.interval === 1 ? `Every ${unit}` : `Every ${repeat.interval.toString()} ${unit}s`;
}

/** Whether the rule means Monday to Friday of every week. */
export function isEveryWeekday({ frequency, interval, days }: Repeat): boolean {
  if (frequency !== "WEEKLY" || interval !== 1 || days.kind !== "weekdays") return false;
  return days.days.join() === WORKING_DAYS.join();
}

function describeEnd(end: RepeatEnd): string {
  switch (end.kind) {
    case "never":
      return "";
    case "until":
      return `, until ${describeDate(end.date)}`;
    case "count":
      return end.count === 1 ? ", for the last time" : `, ${end.count.toString()} times`;
  }
}

/** A calendar day in full: "31 December 2026". */
export function describeDate(date: string): string {
  const format: Intl.DateTimeFormatOptions = { day: "numeric", month: "long", year: "numeric" };
  return new Date(`${date}T00:00`).toLocaleDateString([], format);
}
