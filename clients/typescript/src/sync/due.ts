import type { Task } from "../models.js";

/** Whether an open task is past its due date; all-day tasks are due until their day ends there. */
export function isOverdue(
  task: Pick<Task, "due" | "is_completed">,
  now: Date = new Date(),
  timeZone: string = localTimeZone(),
): boolean {
  const { due, is_completed } = task;
  if (due === null || is_completed) {
    return false;
  }
  return due.at === null ? due.date < dayIn(timeZone, now) : Date.parse(due.at) < now.getTime();
}

/** The calendar day (`YYYY-MM-DD`) at this instant in a time zone. */
export function dayIn(timeZone: string, now: Date = new Date()): string {
  return clockIn(timeZone, now.getTime()).slice(0, "YYYY-MM-DD".length);
}

/** The IANA name of the time zone of this device. */
export function localTimeZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** The instant (RFC 3339, UTC) when clocks show this time; null if the zone is unknown here. */
export function instantOf(date: string, time: string, timeZone: string): string | null {
  const localTime = Date.parse(`${date}T${time}:00Z`);
  if (Number.isNaN(localTime)) {
    return null;
  }
  try {
    const offsets = [localTime - DAY, localTime + DAY].map((near) => offsetAt(timeZone, near));
    // Of two instants with this time, the server takes the earlier one.
    const candidates = offsets.map((offset) => localTime - offset).sort((a, b) => a - b);
    const exact = candidates.find((instant) => instant + offsetAt(timeZone, instant) === localTime);
    // The server refuses a time that the clocks skip; until then any instant will do.
    return timestampOf(exact ?? localTime);
  } catch (error) {
    if (error instanceof RangeError) {
      return null;
    }
    throw error;
  }
}

/** An instant as the server writes it: RFC 3339 in UTC, with microseconds. */
export function timestampOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace("Z", "000Z");
}

const DAY = 24 * 60 * 60 * 1000;

const formats = new Map<string, Intl.DateTimeFormat>();

function offsetAt(timeZone: string, instant: number): number {
  return Date.parse(`${clockIn(timeZone, instant)}Z`) - Math.trunc(instant / 1000) * 1000;
}

/** What clocks show at an instant, as `YYYY-MM-DDTHH:MM:SS`. */
function clockIn(timeZone: string, instant: number): string {
  let format = formats.get(timeZone);
  if (format === undefined) {
    // Sweden writes ISO 8601.
    format = new Intl.DateTimeFormat("sv-SE", {
      timeZone,
      dateStyle: "short",
      timeStyle: "medium",
    });
    formats.set(timeZone, format);
  }
  return format.format(instant).replace(" ", "T");
}
