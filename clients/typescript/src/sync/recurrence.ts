import type { Recurrence, RecurrenceChange } from "../models.js";

/** The parts of a rule in the order in which the server writes them. */
const PARTS = [
  "FREQ",
  "INTERVAL",
  "BYDAY",
  "BYMONTHDAY",
  "BYMONTH",
  "BYSETPOS",
  "WKST",
  "COUNT",
  "UNTIL",
];

/** Parts that are not written because they say what is true without them. */
const DEFAULTS = ["INTERVAL=1", "WKST=MO"];

const WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

const ASCII = /^[!-~]*$/u;
const FREQUENCY = /^(?:DAILY|WEEKLY|MONTHLY|YEARLY)$/u;
const NUMBER = /^0*\d{1,3}$/u;
const SIGNED_NUMBER = /^[+-]?0*\d{1,3}$/u;
const WEEKDAY = /^([+-]?0*[1-5])?(MO|TU|WE|TH|FR|SA|SU)$/u;
const DATE = /^\d{8}$/u;

/** Spell a rule as the server does; one that the server would refuse may come back as it is. */
export function canonicalRule(rule: string): string {
  // Some other letters become ASCII ones in upper case, such as the dotless i.
  if (!ASCII.test(rule)) {
    return rule;
  }
  const parts = new Map<string, string>();
  for (const part of rule.toUpperCase().split(";")) {
    const separator = part.indexOf("=");
    const name = part.slice(0, Math.max(separator, 0));
    const value = canonicalValue(name, part.slice(separator + 1));
    if (value === undefined || parts.has(name)) {
      return rule;
    }
    parts.set(name, `${name}=${value}`);
  }
  const inOrder = PARTS.map((name) => parts.get(name) ?? "");
  return inOrder.filter((part) => part !== "" && !DEFAULTS.includes(part)).join(";");
}

export function normalizeRecurrence(recurrence: RecurrenceChange | null): Recurrence | null {
  if (recurrence === null) {
    return null;
  }
  return { rule: canonicalRule(recurrence.rule), from: recurrence.from ?? "due" };
}

/** The same text for recurrences that are the same to the server. */
export function recurrenceKey(recurrence: RecurrenceChange | null): string {
  const normalized = normalizeRecurrence(recurrence);
  return normalized === null ? "" : `${normalized.from} ${normalized.rule}`;
}

/** The value of one part; undefined if there is no such part or value. */
function canonicalValue(name: string, value: string): string | undefined {
  switch (name) {
    case "FREQ":
      return FREQUENCY.test(value) ? value : undefined;
    case "INTERVAL":
    case "COUNT":
      return NUMBER.test(value) ? String(Number(value)) : undefined;
    case "BYDAY":
      return canonicalItems(value, WEEKDAY, weekdayOf);
    case "BYMONTH":
      return canonicalItems(value, NUMBER, numberOf);
    case "BYMONTHDAY":
    case "BYSETPOS":
      return canonicalItems(value, SIGNED_NUMBER, numberOf);
    case "WKST":
      return WEEKDAYS.includes(value) ? value : undefined;
    case "UNTIL":
      return DATE.test(value) ? value : undefined;
    default:
      return undefined;
  }
}

/** One item of a list of values, and by what it is sorted. */
interface Item {
  text: string;
  rank: number;
}

/** The items in ascending order, each once. */
function canonicalItems(
  value: string,
  pattern: RegExp,
  read: (text: string) => Item,
): string | undefined {
  const texts = value.split(",");
  if (!texts.every((text) => pattern.test(text))) {
    return undefined;
  }
  const items = texts.map(read).sort((left, right) => left.rank - right.rank);
  return [...new Set(items.map(({ text }) => text))].join(",");
}

function numberOf(text: string): Item {
  const rank = Number(text);
  return { text: String(rank), rank };
}

/** Days are sorted by their ordinal, then from Monday to Sunday. */
function weekdayOf(text: string): Item {
  const [, digits = "", weekday = ""] = WEEKDAY.exec(text) ?? [];
  const ordinal = Number(digits);
  const rank = ordinal * WEEKDAYS.length + WEEKDAYS.indexOf(weekday);
  return { text: `${digits === "" ? "" : String(ordinal)}${weekday}`, rank };
}
