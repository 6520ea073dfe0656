import type { Due, DueChange } from "@task-platform/client";

/** The IANA name of the zone that this device is set to; read once, because each reading is slow. */
export const localZone = new Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The calendar day of an instant where this device is, as `2026-11-30`. */
export function localDay(instant: Date): string {
  const month = (instant.getMonth() + 1).toString().padStart(2, "0");
  const day = instant.getDate().toString().padStart(2, "0");
  return `${instant.getFullYear().toString()}-${month}-${day}`;
}

/** The calendar day `days` after that of `instant`, where this device is. */
export function dayFrom(instant: Date, days: number): string {
  return localDay(new Date(instant.getFullYear(), instant.getMonth(), instant.getDate() + days));
}

/** The calendar day on which a task is due where this device is; all-day tasks keep theirs everywhere. */
export function dueDay(due: Due): string {
  return due.at === null ? due.date : localDay(new Date(due.at));
}

/** Say when something is due as people do: "Today, 17:00", "Tuesday", "3 Dec". */
export function describeDue(due: Due, now: Date): string {
  const day = describeDay(dueDay(due), now);
  if (due.at === null) return day;
  const time = new Date(due.at).toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
  return `${day}, ${time}`;
}

function describeDay(day: string, now: Date): string {
  const today = localDay(now);
  if (day === today) return "Today";
  if (day === dayFrom(now, 1)) return "Tomorrow";
  if (day === dayFrom(now, -1)) return "Yesterday";
  const date = new Date(`${day}T00:00`);
  if (day > today && day < dayFrom(now, 7)) return date.toLocaleDateString([], { weekday: "long" });
  const format: Intl.DateTimeFormatOptions = { day: "numeric", month: "short" };
  if (date.getFullYear() !== now.getFullYear()) format.year = "numeric";
  return date.toLocaleDateString([], format);
}

/** The due date for two form fields; a time without a zone of its own means the clock here. */
export function makeDue(date: string, time: string, zone: string | null): DueChange | null {
  if (date === "") return null;
  if (time === "") return { date };
  return { date, time, time_zone: zone ?? localZone };
}
