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

/** The calendar day of an instant in a zone. */
export function dayIn(zone: string, instant: Date): string {
  const parts = new Intl.DateTimeFormat("en", {
    timeZone: zone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  }).formatToParts(instant);
  const valueOf = (type: string) => parts.find((part) => part.type === type)?.value ?? "";
  return `${valueOf("year")}-${valueOf("month")}-${valueOf("day")}`;
}

/** The calendar day on which a task is due where this device is; all-day tasks keep theirs everywhere. */
export function dueDay(due: Due): string {
  return due.at === null ? due.date : localDay(new Date(due.at));
}

/** Say when something is due as people do: "Today, 17:00", "Tuesday", "3 Dec". */
export function describeDue(due: Due, now: Date): string {
  const day = describeDay(dueDay(due), now);
  if (due.at === null) return day;
  return `${day}, ${describeTime(new Date(due.at))}`;
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

/** Say when something is due, in full: "Monday, 7 December". */
export function describeDueInFull(due: Due, now: Date): string {
  const date = new Date(due.at ?? `${due.date}T00:00`);
  const format: Intl.DateTimeFormatOptions = { weekday: "long", day: "numeric", month: "long" };
  if (date.getFullYear() !== now.getFullYear()) format.year = "numeric";
  const day = date.toLocaleDateString([], format);
  return due.at === null ? day : `${day}, ${describeTime(date)}`;
}

function describeTime(instant: Date): string {
  return instant.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
}

/** The due date for two form fields; a time without a zone of its own means the clock here. */
export function makeDue(date: string, time: string, zone: string | null): DueChange | null {
  if (date === "") return null;
  if (time === "") return { date };
  return { date, time, time_zone: zone ?? localZone };
}
