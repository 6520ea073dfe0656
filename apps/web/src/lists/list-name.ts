import type { List } from "@task-platform/client";

const LENGTH_MAX = 120;

/** What is wrong with the name of a list, in a sentence; null if nothing is. `others` have their names already. */
export function listNameFault(name: string, others: readonly List[]): string | null {
  const wanted = name.trim().normalize("NFC");
  if (wanted === "") return "A list needs a name.";
  if (Array.from(wanted).length > LENGTH_MAX) return "A name has at most 120 characters.";
  const isTaken = others.some((list) => list.name.toLowerCase() === wanted.toLowerCase());
  return isTaken ? "You have a list with this name already." : null;
}
