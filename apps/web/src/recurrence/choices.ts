import { describeDays, isEveryWeekday, type Recurrence } from "./describe.ts";
import {
  readRepeat,
  WEEKDAYS,
  WORKING_DAYS,
  writeRule,
  type Frequency,
  type Repeat,
  type RepeatDays,
  type Weekday,
} from "./repeat.ts";

/** What the picker shows first; "other" is a rule that it cannot express. */
export type Preset =
  "none" | "daily" | "weekdays" | "weekly" | "monthly" | "yearly" | "custom" | "other";

const PRESET_OF: Readonly<Record<Frequency, Preset>> = {
  DAILY: "daily",
  WEEKLY: "weekly",
  MONTHLY: "monthly",
  YEARLY: "yearly",
};

/** The preset that a rule is shown as. */
export function presetOf(rule: string | null): Preset {
  if (rule === null) return "none";
  const repeat = readRepeat(rule);
  if (repeat === null) return "other";
  if (repeat.interval > 1) return "custom";
  return isEveryWeekday(repeat) ? "weekdays" : PRESET_OF[repeat.frequency];
}

/** What a preset means for a task that is due on a day; `current` is what it repeats by now. */
export function repeatOf(
  preset: Exclude<Preset, "none" | "other">,
  due: string,
  current: Repeat | null,
): Repeat {
  const end = current?.end ?? { kind: "never" };
  switch (preset) {
    case "daily":
      return { frequency: "DAILY", interval: 1, days: { kind: "same" }, end };
    case "weekdays": {
      const days: RepeatDays = { kind: "weekdays", days: WORKING_DAYS };
      return { frequency: "WEEKLY", interval: 1, days, end };
    }
    case "weekly":
      return { frequency: "WEEKLY", interval: 1, days: usualDays("WEEKLY", due), end };
    case "monthly":
      return { frequency: "MONTHLY", interval: 1, days: usualDays("MONTHLY", due), end };
    case "yearly":
      return { frequency: "YEARLY", interval: 1, days: usualDays("YEARLY", due), end };
    case "custom":
      // Something that no preset does, else nothing would seem to happen.
      return current ?? { frequency: "WEEKLY", interval: 2, days: usualDays("WEEKLY", due), end };
  }
}

/** The days that keep a task on its due date. They are named, so that postponing one does not move all others. */
export function usualDays(frequency: Frequency, due: string): RepeatDays {
  const { month, day, weekday } = partsOf(due);
  switch (frequency) {
    case "DAILY":
      return { kind: "same" };
    case "WEEKLY":
      return { kind: "weekdays", days: [weekday] };
    case "MONTHLY":
      return { kind: "day-of-month", day };
    case "YEARLY":
      return { kind: "date", month, day };
  }
}

/** The recurrence of a task that gets another due date, if its days are nothing but those of the old one. */
export function moveRecurrence(
  { rule, from }: Recurrence,
  oldDue: string,
  newDue: string,
): Recurrence {
  const repeat = readRepeat(rule);
  if (repeat === null || !isSameDays(repeat.days, usualDays(repeat.frequency, oldDue)))
    return { rule, from };
  const days = usualDays(repeat.frequency, newDue);
  return { rule: writeRule({ ...repeat, days }), from };
}

export interface DaysChoice {
  label: string;
  days: RepeatDays;
}

/** The days of a month or year to choose from: those that fit the due date, and the present ones. */
export function daysChoices(
  { frequency, days }: Repeat,
  from: "due" | "completion",
  due: string,
): DaysChoice[] {
  const choices: RepeatDays[] = [];
  if (from === "completion") choices.push({ kind: "same" });
  choices.push(usualDays(frequency, due));
  if (frequency === "MONTHLY") {
    const { day, weekday, isInLastWeek } = partsOf(due);
    const ordinal = Math.ceil(day / 7);
    if (ordinal < 5) choices.push({ kind: "nth-weekday", ordinal, weekday });
    if (isInLastWeek) choices.push({ kind: "nth-weekday", ordinal: -1, weekday });
    choices.push({ kind: "day-of-month", day: -1 });
  }
  if (!choices.some((choice) => isSameDays(choice, days))) choices.unshift(days);
  return choices.map((choice) => ({ days: choice, label: labelOf(choice, from) }));
}

export function isSameDays(left: RepeatDays, right: RepeatDays): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

function labelOf(days: RepeatDays, from: "due" | "completion"): string {
  if (days.kind === "same")
    return from === "completion" ? "On the day of completion" : "On the day it is due";
  const words = describeDays(days);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

interface DateParts {
  month: number;
  day: number;
  weekday: Weekday;
  isInLastWeek: boolean;
}

function partsOf(date: string): DateParts {
  const instant = new Date(`${date}T00:00Z`);
  const day = instant.getUTCDate();
  const daysOfMonth = new Date(
    Date.UTC(instant.getUTCFullYear(), instant.getUTCMonth() + 1, 0),
  ).getUTCDate();
  // Sunday is 0.
  const weekday = WEEKDAYS[(instant.getUTCDay() + 6) % 7] ?? "MO";
  return {
    month: instant.getUTCMonth() + 1,
    day,
    weekday,
    isInLastWeek: day + 7 > daysOfMonth,
  };
}
